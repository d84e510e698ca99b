import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { EndpointCall } from '../../../src/services/endpoints';
import { PUMP } from '../support/broker-fixture';
import type { RawDevice } from '../support/raw-device';
import { Field, message, psonField, rawFields, Type, varint, varintField } from '../support/raw-message';
import { answerTo, captured, DIALECTS, samplesOf, ServicesBench, type Dialect } from './support';

const OTHER = { user: 'anna', device: 'other_device', credential: 'x' } as const;

/** A request that a real device sent, each in dialect A and with a stream id. */
const CAPTURED = {
  readProperty: 'call.get_property',
  setProperty: 'call.set_property_confirm',
  callDevice: 'call.call_device_data_confirm',
  callEndpoint: 'call.call_endpoint_data_confirm',
  writeBucket: 'call.write_bucket_confirm',
  lock: 'call.lock_sync_full',
  unlock: 'call.unlock_sync',
  subscribe: 'event.property_current.start',
} as const;
type Service = keyof typeof CAPTURED;

/** The bytes of a request, put in another dialect, or without its stream id. */
function put(bytes: Buffer, dialect: Dialect, hasId: boolean): Buffer {
  const place = (id: number): number =>
    id === Field.PARAMETERS ? Field.RESOURCE : id === Field.RESOURCE ? Field.PARAMETERS : id;
  const fields = rawFields(bytes)
    .filter(({ id }) => hasId || id !== Field.ID)
    .map((field) => ({ ...field, id: dialect === 'A' ? field.id : place(field.id) }))
    .map(({ id, wire, value }) => Buffer.concat([varint((id << 3) | wire), value]));
  return message(bytes[0] ?? 0, ...fields);
}

/** What a message says, whatever the order of its fields. */
function said(bytes: Buffer): string[] {
  return rawFields(bytes)
    .map(({ id, wire, value }) => `${id} ${wire} ${value.toString('hex')}`)
    .sort();
}

interface Scene {
  readonly bench: ServicesBench;
  readonly pump: RawDevice;
  readonly other: RawDevice;
  readonly calls: EndpointCall[];
  /** Has the pump ask; gives the bytes of the answer. */
  readonly ask: (service: Service) => Promise<Buffer | undefined>;
}

async function scene(dialect: Dialect, hasId: boolean): Promise<Scene> {
  const bench = await ServicesBench.start({}, { devices: [PUMP, OTHER] });
  const pump = await bench.broker.device();
  const other = await bench.broker.device(OTHER);
  other.resources.set('relay', { fn: 4, run: () => ({ answer: 1 }) });
  const calls: EndpointCall[] = [];
  bench.services.endpoints.host('alert_email', (call) => void calls.push(call));
  const ask = async (service: Service): Promise<Buffer | undefined> => {
    const { bytes, id = assert.fail() } = captured(CAPTURED[service]);
    const before = pump.received.length;
    pump.send(put(bytes, dialect, hasId));
    if (hasId) return (await answerTo(pump, id)).bytes;
    await pump.barrier();
    await bench.broker.clock.settle();
    assert.equal(pump.received.length, before + 1, 'the keep-alive of the barrier alone');
    return undefined;
  };
  return { bench, pump, other, calls, ask };
}

/** The answer to a request, byte by byte; none where it has no stream id. */
function ok(service: Service, hasId: boolean, payload?: unknown): Buffer | undefined {
  const { id = assert.fail() } = captured(CAPTURED[service]);
  if (!hasId) return undefined;
  return message(
    Type.OK,
    varintField(Field.ID, id),
    ...(payload === undefined ? [] : [psonField(3, payload)]),
  );
}

describe('the dialects of captured requests', () => {
  it('differ in nothing but the places of code and name', () => {
    for (const service of ['get_property', 'set_property']) {
      const [old, current] = [captured(`enc old order ${service}`), captured(`enc current order ${service}`)];
      assert.deepEqual(said(put(old.bytes, 'B', true)), said(current.bytes));
      assert.deepEqual(said(put(current.bytes, 'B', true)), said(old.bytes));
    }
    const { bytes } = captured('call.call_device_data_confirm');
    assert.deepEqual(said(put(bytes, 'A', false)), said(captured('call.call_device_data').bytes));
  });
});

for (const dialect of DIALECTS) {
  for (const hasId of [true, false]) {
    describe(`captured requests, dialect ${dialect}, ${hasId ? 'with' : 'without'} stream id`, () => {
      it('set and read properties', async () => {
        const { bench, ask } = await scene(dialect, hasId);
        const value = { interval: 60, name: 'ñ' };
        assert.deepEqual(await ask('setProperty'), ok('setProperty', hasId));
        assert.deepEqual((await bench.services.properties.get(PUMP, 'config'))?.value, value);
        assert.deepEqual(await ask('readProperty'), ok('readProperty', hasId, value));
      });

      it('call another device', async () => {
        const { other, ask } = await scene(dialect, hasId);
        assert.deepEqual(await ask('callDevice'), ok('callDevice', hasId, { answer: 1 }));
        const [run, ...more] = other.all(Type.RUN);
        assert.deepEqual([run?.resource, run?.payload, more.length], ['relay', { state: true }, 0]);
      });

      it('call an endpoint', async () => {
        const { calls, ask } = await scene(dialect, hasId);
        assert.deepEqual(await ask('callEndpoint'), ok('callEndpoint', hasId));
        assert.deepEqual(
          calls.map(({ name, payload }) => [name, payload]),
          [['alert_email', { message: 'hot' }]],
        );
      });

      it('write to a bucket', async () => {
        const { bench, ask } = await scene(dialect, hasId);
        assert.deepEqual(await ask('writeBucket'), ok('writeBucket', hasId));
        const { rows } = await bench.services.buckets.range({ user: 'anna', bucket: 'environment' });
        assert.deepEqual(
          rows.map(({ device, value }) => [device, value]),
          [['pump', { humidity: 65, temperature: -22.25 }]],
        );
      });

      it('lock and unlock', async () => {
        const { bench, ask } = await scene(dialect, hasId);
        assert.deepEqual(await ask('lock'), ok('lock', hasId, { lock: 'owner-a' }));
        assert.equal(bench.services.locks.size, 1);
        assert.deepEqual(await ask('unlock'), ok('unlock', hasId));
        assert.equal(bench.services.locks.size, 0);
      });

      it('subscribe to a property, which takes a stream id', async () => {
        const { bench, pump, ask } = await scene(dialect, hasId);
        await bench.services.properties.set(PUMP, 'config', 1);
        assert.deepEqual(await ask('subscribe'), ok('subscribe', hasId, 1));
        await bench.services.properties.set(PUMP, 'config', 2);
        await pump.barrier();
        const { id = assert.fail() } = captured(CAPTURED.subscribe);
        assert.deepEqual(samplesOf(pump, id), hasId ? [2] : []);
      });
    });
  }
}
