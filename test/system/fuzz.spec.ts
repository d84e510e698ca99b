import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { runCampaign } from '../fuzz/campaign';
import { fuzzSockets } from '../fuzz/sockets';

const IN_PROCESS_MS = 22_000;
const OVER_SOCKETS_MS = 8_000;
const LIMIT_MS = 120_000;

describe('mutated inputs', () => {
  it('break no rule of what takes bytes of strangers', async () => {
    const seed = Date.now() % 2 ** 32;
    process.stdout.write(`fuzzing with seed ${seed}\n`);
    const { summary, kept } = await runCampaign({ seed, inputs: Infinity, timeMs: IN_PROCESS_MS });
    process.stdout.write(`${summary}\n`);
    assert.ok(kept > 50, 'the corpus is there');
  }).timeout(LIMIT_MS);

  it('leave no connection that is neither served nor closed', async () => {
    const seed = Date.now() % 2 ** 32;
    process.stdout.write(`fuzzing over sockets with seed ${seed}\n`);
    const { inputs, closed } = await fuzzSockets(seed, OVER_SOCKETS_MS);
    process.stdout.write(`${inputs} inputs over sockets, after ${closed} the server closed\n`);
    assert.ok(closed > 0 && closed < inputs);
  }).timeout(LIMIT_MS);
});
