import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { DeviceTurns } from '../../../src/services/device-turns';

describe('turns of devices at the store', () => {
  it('are free at once up to the limit of the device, and come in order after it', async () => {
    const turns = new DeviceTurns({ operations: 2, bytes: 100 });
    assert.equal(turns.begin('pump', 1), undefined);
    assert.equal(turns.begin('pump', 1), undefined);
    const done: number[] = [];
    const waiting = [1, 2, 3].map(async (n) => {
      await turns.begin('pump', 1);
      done.push(n);
    });
    turns.end('pump', 1);
    await waiting[0];
    assert.deepEqual(done, [1]);
    turns.end('pump', 1);
    turns.end('pump', 1);
    await Promise.all(waiting);
    assert.deepEqual(done, [1, 2, 3]);
  });

  it('are bounded in bytes: a large value waits, and nothing that came later overtakes it', async () => {
    const turns = new DeviceTurns({ operations: 10, bytes: 100 });
    assert.equal(turns.begin('pump', 60), undefined);
    assert.equal(turns.begin('pump', 40), undefined);
    const done: string[] = [];
    const large = turns.begin('pump', 70)?.then(() => done.push('large'));
    const small = turns.begin('pump', 1)?.then(() => done.push('small'));
    turns.end('pump', 40);
    await Promise.resolve();
    assert.deepEqual(done, []);
    turns.end('pump', 60);
    await Promise.all([large, small]);
    assert.deepEqual(done, ['large', 'small']);
  });

  it('are given to a value past the limit when nothing else runs', () => {
    const turns = new DeviceTurns({ operations: 10, bytes: 100 });
    assert.equal(turns.begin('pump', 101), undefined);
    assert.notEqual(turns.begin('pump', 1), undefined);
  });

  it('of other devices are not concerned', () => {
    const turns = new DeviceTurns({ operations: 1, bytes: 100 });
    void turns.begin('pump', 1);
    assert.notEqual(turns.begin('pump', 1), undefined);
    assert.equal(turns.begin('lamp', 1), undefined);
  });

  it('leave nothing behind', () => {
    const turns = new DeviceTurns({ operations: 1, bytes: 100 });
    void turns.begin('pump', 1);
    void turns.begin('pump', 1);
    turns.end('pump', 1);
    assert.equal(turns.size, 1);
    turns.end('pump', 1);
    turns.end('pump', 1);
    assert.equal(turns.size, 0);
  });
});
