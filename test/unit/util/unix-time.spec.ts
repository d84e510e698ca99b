import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { toUnixMs, toUnixSeconds } from '../../../src/util/unix-time';

describe('times in s or in ms', () => {
  const S = Date.UTC(2026, 0, 5) / 1000;

  it('are taken as what they can only be', () => {
    assert.deepEqual([toUnixSeconds(S), toUnixSeconds(1000 * S + 999)], [S, S]);
    assert.deepEqual([toUnixMs(S), toUnixMs(1000 * S + 999)], [1000 * S, 1000 * S + 999]);
    assert.deepEqual([toUnixSeconds(0), toUnixMs(0)], [0, 0]);
  });
});
