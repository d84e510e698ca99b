import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { ServiceCode } from '../../../src/codec/constants';
import { BrokerBench, PUMP } from '../support/broker-fixture';
import { Type } from '../support/raw-message';
import type { RawWire } from '../support/raw-wire';
import { listen } from './fixtures';

const TRANSPORTS: Record<string, (bench: BrokerBench) => RawWire | Promise<RawWire>> = {
  memory: (bench) => bench.memory(),
  'memory, byte by byte': (bench) => bench.memory({ chunkBytes: 1 }),
  TCP: (bench) => bench.tcp(),
  'WebSocket text frames': (bench) => bench.webSocket(),
};

for (const [transport, connect] of Object.entries(TRANSPORTS)) {
  for (const dialect of ['linux', 'micro'] as const) {
    for (const integers of ['varint', 'pson'] as const) {
      describe(`${dialect} over ${transport}, integers as ${integers}`, () => {
        it('logs in, describes itself, runs, streams and calls the server', async () => {
          const bench = await BrokerBench.start({ host: '127.0.0.1', tcpPort: 0 });
          const device = await bench.device({ dialect, integers }, await connect(bench));
          let level = 20;
          let relay = false;
          device.resources.set('level', { fn: 3, run: () => level });
          device.resources.set('relay', { fn: 2, run: (input) => void (relay = input === true) });
          bench.server.host.offer(ServiceCode.READ_PROPERTY, {
            kind: 'output',
            run: ({ parameters }) => ({ name: parameters, big: 2 ** 40 }),
          });

          const description = await bench.server.device(PUMP)!.describe();
          assert.deepEqual(
            description.resources.map(({ name, fn }) => [name, fn]),
            [
              ['level', 3],
              ['relay', 2],
            ],
          );
          assert.equal((await bench.server.call(PUMP, 'level')).payload, 20);
          assert.equal((await bench.server.call(PUMP, 'relay', { payload: true })).payload, undefined);
          assert.equal(relay, true);
          await assert.rejects(bench.server.call(PUMP, 'relay'), { code: 'IOTMP_ERR_NO_INPUT' });
          await assert.rejects(bench.server.call(PUMP, 'nothing', { payload: 1 }), {
            code: 'IOTMP_ERR_REMOTE',
          });

          const { samples, subscription } = listen(bench, 'level', 1000);
          const start = await device.next(Type.START_STREAM);
          level = 21;
          device.sample(start.id!, level);
          device.sample(start.id!, 21.5, 200);
          await device.barrier();
          assert.deepEqual(samples, [20, 21, 21.5]);
          subscription.close();
          await device.next(Type.STOP_STREAM);

          const [code, name] = dialect === 'linux' ? ['resource', 'parameters'] : ['parameters', 'resource'];
          device.send(device.build(Type.RUN, { id: 9158, [code]: 1, [name]: 'config' }));
          const answer = await device.next(Type.OK);
          assert.deepEqual([answer.id, answer.payload], [9158, { name: 'config', big: 2 ** 40 }]);
          assert.equal(relay, true, 'nothing has run it since');
          assert.deepEqual(bench.warnings, []);
        });
      });
    }
  }
}
