import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { BrokerBench, PUMP } from '../support/broker-fixture';
import type { RawDevice } from '../support/raw-device';
import { Type } from '../support/raw-message';

/** Every payload that reaches a device as none, null or empty. */
const EMPTY: [string, unknown][] = [
  ['no payload', undefined],
  ['null', null],
  ['an empty string', ''],
  ['an empty array', []],
  ['an empty map', {}],
  ['empty bytes', Buffer.alloc(0)],
  ['a map whose members are all undefined', { state: undefined, level: undefined }],
  ['an object that toJSON() makes null', { toJSON: () => null }],
  ['an object that toJSON() makes undefined', { toJSON: () => undefined }],
  ['an empty Map', new Map()],
  ['an empty Set', new Set()],
  ['an object without a prototype', Object.create(null)],
  ['a boxed empty string', Object('')],
  ['a Map that has a property of its own', Object.assign(new Map(), { state: true })],
];

const FILLED: unknown[] = [
  false,
  true,
  0,
  -0,
  NaN,
  1n,
  ' ',
  [null],
  [undefined],
  { state: null },
  { state: false },
  Buffer.from([0]),
  new Date(0),
  new Map([['state', false]]),
];

interface Bench {
  bench: BrokerBench;
  device: RawDevice;
}

/** A device with resources of all kinds, that counts how often its relay was run. */
async function benchWithRelay(): Promise<Bench> {
  const bench = await BrokerBench.start();
  const device = await bench.device();
  for (const [name, fn] of [
    ['relay', 2],
    ['relay/:n', 2],
    ['level', 3],
    ['dimmer', 4],
    ['reset', 1],
    ['untold', undefined],
  ] as const) {
    device.resources.set(name, { fn, run: () => undefined });
  }
  device.resources.set('relay/1', { fn: 2, run: () => undefined });
  return { bench, device };
}

describe('call of an input without a value', () => {
  for (const [name, payload] of EMPTY) {
    it(`is refused with ${name}, and nothing is sent that acts`, async () => {
      const { bench, device } = await benchWithRelay();
      for (const resource of ['relay', 'relay/1', 'relay/']) {
        await assert.rejects(bench.server.call(PUMP, resource, { payload }), {
          code: 'IOTMP_ERR_NO_INPUT',
          message: `${resource} is an input: it needs a value`,
        });
      }
      assert.deepEqual(device.acts, []);
      assert.equal(device.all(Type.DESCRIBE).length, 1);
      assert.equal(bench.server.lastKnown(PUMP)?.get('relay'), undefined);
    });
  }

  it('matches the patterns that the device told', async () => {
    const { bench, device } = await benchWithRelay();
    device.resources.delete('relay/1');
    await assert.rejects(bench.server.call(PUMP, 'relay/77'), { code: 'IOTMP_ERR_NO_INPUT' });
    assert.deepEqual(device.acts, []);
  });

  it('is not what false, 0, NaN and the like are', async () => {
    const { bench, device } = await benchWithRelay();
    for (const payload of FILLED) await bench.server.call(PUMP, 'relay', { payload });
    assert.equal(device.all(Type.RUN).length, FILLED.length);
    assert.deepEqual(device.all(Type.DESCRIBE), [], 'nobody had to ask');
  });

  it('is nothing that outputs, in/out resources, runs and unknown ones know', async () => {
    const { bench, device } = await benchWithRelay();
    for (const resource of ['level', 'dimmer', 'reset', 'untold']) {
      for (const [, payload] of EMPTY) await bench.server.call(PUMP, resource, { payload });
    }
    await assert.rejects(bench.server.call(PUMP, 'no/such/thing'), { code: 'IOTMP_ERR_REMOTE' });
    assert.equal(device.all(Type.RUN).length, 4 * EMPTY.length + 1);
  });

  it('goes through at once for those who answer for it, and is not remembered as a write', async () => {
    const { bench, device } = await benchWithRelay();
    for (const [, payload] of EMPTY) await bench.server.device(PUMP)!.run('relay', { payload });
    assert.equal(device.all(Type.RUN).length, EMPTY.length);
    assert.deepEqual(device.all(Type.DESCRIBE), []);
    assert.equal(bench.server.lastKnown(PUMP)?.get('relay'), undefined);
    await bench.server.device(PUMP)!.run('relay', { payload: { state: true } });
    assert.deepEqual(bench.server.lastKnown(PUMP)?.get('relay')?.input, { state: true });
  });

  it('goes through to a device that does not describe itself', async () => {
    const bench = await BrokerBench.start({ requestTimeoutMs: 1000 });
    const device = await bench.device();
    device.serves = false;
    const call = bench.server.call(PUMP, 'relay');
    await device.next(Type.DESCRIBE);
    await bench.clock.advance(1000);
    device.ok((await device.next(Type.RUN)).id!);
    assert.equal((await call).statusCode, 200);
  });

  it('takes no longer than the call may, and does not act when it has not been told in time', async () => {
    const bench = await BrokerBench.start();
    const device = await bench.device();
    device.serves = false;
    const call = assert.rejects(bench.server.call(PUMP, 'relay', { timeoutMs: 200 }), {
      code: 'IOTMP_ERR_TIMEOUT',
    });
    await device.next(Type.DESCRIBE);
    await bench.clock.advance(200);
    await call;
    assert.deepEqual(device.acts, []);
  });

  it('ends when its caller gives up, while others wait on', async () => {
    const bench = await BrokerBench.start();
    const device = await bench.device();
    device.serves = false;
    const abort = new AbortController();
    const given = assert.rejects(bench.server.call(PUMP, 'level', { signal: abort.signal }), {
      code: 'IOTMP_ERR_ABORTED',
    });
    const kept = bench.server.call(PUMP, 'level');
    const { id } = await device.next(Type.DESCRIBE);
    abort.abort();
    await given;
    device.ok(id!, { level: { fn: 3 } });
    device.ok((await device.next(Type.RUN)).id!, 5);
    assert.equal((await kept).payload, 5);
    const gone = bench.server.call(PUMP, 'level', { signal: AbortSignal.abort() });
    await assert.rejects(gone, { code: 'IOTMP_ERR_ABORTED' });
  });

  it('fails with the connection when that ends meanwhile', async () => {
    const bench = await BrokerBench.start();
    const device = await bench.device();
    device.serves = false;
    const call = assert.rejects(bench.server.call(PUMP, 'relay'), { code: 'IOTMP_ERR_CLOSED' });
    await device.next(Type.DESCRIBE);
    device.wire.cut();
    await call;
  });

  it('does not hide a payload that cannot be sent', async () => {
    const { bench } = await benchWithRelay();
    await assert.rejects(bench.server.call(PUMP, 'relay', { payload: { a: Symbol('x') } }), {
      code: 'IOTMP_ERR_ENCODE',
    });
    const loop: unknown[] = [];
    loop.push(loop);
    await assert.rejects(bench.server.call(PUMP, 'relay', { payload: { loop } }), {
      code: 'IOTMP_ERR_ENCODE',
    });
  });
});
