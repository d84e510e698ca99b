import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { DeviceTurns } from '../../../src/services/device-turns';

describe('turns of devices at the store', () => {
  it('are free at once up to the limit of the device, and come in order after it', async () => {
    const turns = new DeviceTurns(2);
    assert.equal(turns.begin('pump'), undefined);
    assert.equal(turns.begin('pump'), undefined);
    const done: number[] = [];
    const waiting = [1, 2, 3].map(async (n) => {
      await turns.begin('pump');
      done.push(n);
    });
    turns.end('pump');
    await waiting[0];
    assert.deepEqual(done, [1]);
    turns.end('pump');
    turns.end('pump');
    await Promise.all(waiting);
    assert.deepEqual(done, [1, 2, 3]);
  });

  it('of other devices are not concerned', () => {
    const turns = new DeviceTurns(1);
    void turns.begin('pump');
    assert.notEqual(turns.begin('pump'), undefined);
    assert.equal(turns.begin('lamp'), undefined);
  });

  it('leave nothing behind', () => {
    const turns = new DeviceTurns(1);
    void turns.begin('pump');
    void turns.begin('pump');
    turns.end('pump');
    assert.equal(turns.size, 1);
    turns.end('pump');
    turns.end('pump');
    assert.equal(turns.size, 0);
  });
});
