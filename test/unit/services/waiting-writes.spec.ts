import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { describe, it } from 'mocha';
import { openStore } from '../../../src/store/open-store';
import type { Store } from '../../../src/store/store';
import { cleanUp } from '../../support/clean-up';
import { LAMP } from '../support/broker-fixture';
import type { RawDevice } from '../support/raw-device';
import { Type } from '../support/raw-message';
import { ServicesBench } from './support';

const LIMIT = 262_144;
/** A value that takes about a quarter of the limit while it waits. */
const VALUE = 'x'.repeat(32_000);

/** A server whose store is still being opened, so that all writes wait. */
async function waitingScene(limits: object): Promise<{ bench: ServicesBench; open: () => void }> {
  const opening = Promise.withResolvers<Store>();
  const store = await openStore({ memory: true });
  cleanUp(() => store.close());
  const bench = await ServicesBench.start({ store: opening.promise }, { limits });
  return { bench, open: () => opening.resolve(store) };
}

function write(device: RawDevice, id: number, service: 2 | 5, name: string): void {
  device.send(device.build(Type.RUN, { id, resource: service, parameters: name, payload: VALUE }));
}

function statuses(device: RawDevice): unknown[] {
  return device.received
    .filter(({ id = 0 }) => id >= 100 && id < 200)
    .map(({ type, id, parameters }) => (type === Type.OK ? id : [id, parameters]));
}

/** Waits until a device has got so many answers. */
async function answers(device: RawDevice, count: number): Promise<unknown[]> {
  while (statuses(device).length < count) await setTimeout(5);
  return statuses(device);
}

for (const { name, service } of [
  { name: 'properties', service: 2 },
  { name: 'rows of buckets', service: 5 },
] as const) {
  describe(`${name} that wait to be written`, () => {
    it('are bounded for each device: past it 503, and others are not concerned', async () => {
      const { bench, open } = await waitingScene({ waitingWriteBytesPerDevice: LIMIT });
      const pump = await bench.broker.device();
      const lamp = await bench.broker.device(LAMP);
      for (let n = 0; n < 5; n++) write(pump, 100 + n, service, `n${n}`);
      write(lamp, 100, service, 'n');
      assert.deepEqual(await answers(pump, 1), [[104, 503]]);
      assert.deepEqual(statuses(lamp), []);
      assert.equal(bench.services.losses.counts.service, 1);
      open();
      assert.deepEqual(await answers(pump, 5), [[104, 503], 100, 101, 102, 103]);
      assert.deepEqual(await answers(lamp, 1), [100]);
      write(pump, 105, service, 'n5');
      assert.equal((await answers(pump, 6)).at(-1), 105);
    });

    it('are bounded for all devices', async () => {
      const { bench } = await waitingScene({ waitingWriteBytes: LIMIT });
      const pump = await bench.broker.device();
      const lamp = await bench.broker.device(LAMP);
      for (let n = 0; n < 5; n++) write(pump, 100 + n, service, `n${n}`);
      assert.deepEqual(await answers(pump, 1), [[104, 503]]);
      write(lamp, 100, service, 'n');
      assert.deepEqual(await answers(lamp, 1), [[100, 503]]);
    });
  });
}
