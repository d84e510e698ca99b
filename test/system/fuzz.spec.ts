import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { runCampaign } from '../fuzz/campaign';

const TIME_MS = 25_000;
const LIMIT_MS = 120_000;

describe('mutated inputs', () => {
  it('break no rule of what takes bytes of strangers', async () => {
    const seed = Date.now() % 2 ** 32;
    process.stdout.write(`fuzzing with seed ${seed}\n`);
    const { summary, kept } = await runCampaign({ seed, inputs: Infinity, timeMs: TIME_MS });
    process.stdout.write(`${summary}\n`);
    assert.ok(kept > 50, 'the corpus is there');
  }).timeout(LIMIT_MS);
});
