import assert from 'node:assert/strict';
import { BrokerBench, LAMP } from './broker-fixture';
import type { RawDevice } from './raw-device';
import type { RawWire } from './raw-wire';

/** A server with a device that has to be served whatever others do. */
export async function benchWithLamp(socket = false): Promise<{ bench: BrokerBench; lamp: RawDevice }> {
  const bench = await BrokerBench.start(socket ? { host: '127.0.0.1', tcpPort: 0 } : {});
  const lamp = await bench.device(LAMP, socket ? await bench.tcp() : bench.memory());
  lamp.resources.set('level', { fn: 3, run: () => 7 });
  return { bench, lamp };
}

/** The other device never noticed anything. */
export async function assertUnharmed(bench: BrokerBench, lamp: RawDevice): Promise<void> {
  assert.equal((await bench.server.call(LAMP, 'level')).payload, 7);
  assert.equal(lamp.ended, false);
  assert.deepEqual(
    bench.log.filter((line) => line.includes('lamp')),
    ['connected anna/lamp'],
  );
}

/** A connection that nobody reads; what it is sent is dropped. */
export function ignoring(wire: RawWire): RawWire {
  wire.start({ onChunk: () => undefined, onEnd: () => undefined, onClose: () => undefined });
  return wire;
}
