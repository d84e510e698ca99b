import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { RawDevice } from '../support/raw-device';
import { GatewayBench } from './support/gateway-bench';

async function blocked(): Promise<GatewayBench> {
  const bench = await GatewayBench.start();
  for (let i = 0; i < 51; i++) {
    const wire = bench.broker.memory({ remoteAddress: `[2001:db8::${i.toString(16)}]:1` });
    new RawDevice(wire, { device: `made-up-${i}` }).connect();
    await bench.broker.clock.settle();
  }
  return bench;
}

describe('blocked addresses', () => {
  it('are listed and lifted by administrators alone', async () => {
    const bench = await blocked();
    const admin = await bench.tokenOf('root', { Server: { '*': ['ListServerBlocks', 'DeleteServerBlock'] } });
    const path = `/v1/server/blocks/${encodeURIComponent('2001:db8:0:0::')}`;
    for (const token of [null, bench.token]) {
      const status = token === null ? 401 : 403;
      assert.equal((await bench.get('/v1/server/blocks', { token })).status, status);
      assert.equal((await bench.ask('DELETE', path, { token })).status, status);
    }
    const { status, body } = await bench.get('/v1/server/blocks', { token: admin });
    assert.equal(status, 200);
    const [block] = body as { address: string; since: number; until: number; tries: number }[];
    assert.deepEqual(
      [block?.address, block?.tries, block!.until - block!.since],
      ['2001:db8:0:0::', 1, 15_000],
    );
    assert.equal((await bench.ask('DELETE', path, { token: admin })).status, 200);
    assert.equal((await bench.ask('DELETE', path, { token: admin })).status, 404);
    assert.deepEqual((await bench.get('/v1/server/blocks', { token: admin })).body, []);
  });
});
