import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { LogGate } from '../../../nodes/lib/red/log-gate';

describe('the lines that a node logs', () => {
  it('are those that are new', () => {
    const gate = new LogGate();
    const lines = ['a', 'a', 'b', 'a', 'b'].map((text) => gate.isNews('tcp', text));
    assert.deepEqual(lines, [true, false, true, false, false]);
    assert.equal(gate.isNews('tls', 'a'), true);
  });

  it('are new once more when all was well', () => {
    const gate = new LogGate();
    gate.isNews('tcp', 'a');
    gate.isNews('tls', 'a');
    gate.clear('tcp');
    assert.deepEqual([gate.isNews('tcp', 'a'), gate.isNews('tls', 'a')], [true, false]);
  });

  it('are forgotten when there were many others since', () => {
    const gate = new LogGate();
    gate.isNews('warning', 'first');
    for (let i = 0; i < 99; i++) gate.isNews('warning', `${i}`);
    assert.equal(gate.isNews('warning', 'first'), false);
    for (let i = 100; i < 200; i++) gate.isNews('warning', `${i}`);
    assert.equal(gate.isNews('warning', 'first'), true);
  });
});
