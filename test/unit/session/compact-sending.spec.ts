import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { MessageType } from '../../../src/codec/constants';
import { endQuietly } from '../support/session-pair';
import { compactHost, compactPair, startCompact, type CompactRig } from './compact-rig';

const { OK, START_STREAM, STOP_STREAM, STREAM_DATA } = MessageType;

const hex = (text: string): string => Buffer.from(text, 'utf8').toString('hex');

/** Payloads of the samples that came, or `[payload, parameters]` where there are any. */
function samples({ peer }: CompactRig): unknown[] {
  const data = peer.messages.splice(0).filter(({ type }) => type === STREAM_DATA);
  return data.map(({ payload, parameters }) =>
    parameters === undefined ? payload : { payload, parameters },
  );
}

/** What goes out for these values. */
async function sent(...values: unknown[]): Promise<unknown[]> {
  const rig = await compactHost();
  await startCompact(rig);
  for (const value of values) rig.resource.publish(value);
  await rig.clock.settle();
  const result = samples(rig);
  await endQuietly(rig);
  return result;
}

const marked = (payload: unknown): object => ({ payload, parameters: 2 });

describe('Samples of a compact stream', () => {
  it('are 35 bytes, and 14 after the first', async () => {
    const rig = await compactHost();
    await startCompact(rig);
    rig.resource.publish({ temperature: 23.5, humidity: 60 });
    await rig.clock.settle();
    assert.equal(rig.peer.hex, `0a2108a1011ac28b${hex('temperature')}400000bc4188${hex('humidity')}1f3c`);
    assert.equal(rig.peer.hex.length / 2, 35);
    for (const [humidity, byte] of [
      [60, '3c'],
      [59, '3b'],
    ] as const) {
      rig.peer.chunks.length = 0;
      rig.resource.publish({ temperature: 23.5, humidity });
      await rig.clock.settle();
      assert.equal(rig.peer.hex, `0a0c08a1011ae2400000bc411f${byte}`);
      assert.equal(rig.peer.hex.length / 2, 14);
    }
    await endQuietly(rig);
  });

  it('cost nine bytes more to open the stream', async () => {
    const { server, device, clock } = await compactPair();
    device.host.host('temperature', { kind: 'inout', run: () => undefined });
    const { session } = server;
    for (let id = 1; id < 161; id++) session.ids.next(() => false);
    const before = session.bytesIn + session.outbox.bytes;
    const parameters = { interval: 5000 };
    const stream = await session.openStream('temperature', { onData: () => undefined }, { parameters });
    await stream.stop();
    assert.equal(session.bytesIn + session.outbox.bytes - before, 47 + 9);
    session.close();
    await clock.settle();
  });

  it('are in full again when the keys are others, or stand in another order', async () => {
    assert.deepEqual(
      await sent({ a: 1, b: 2 }, { a: 3, b: 4 }, { b: 5, a: 6 }, { b: 7, a: 8 }, { b: 9 }, { b: 10 }),
      [{ a: 1, b: 2 }, [3, 4], { b: 5, a: 6 }, [7, 8], { b: 9 }, [10]],
    );
    assert.deepEqual(await sent({ a: 1 }, { a: 2, b: undefined }, { a: 3, b: 4 }, { aa: 5 }), [
      { a: 1 },
      [2],
      { a: 3, b: 4 },
      { aa: 5 },
    ]);
  });

  it('keep the keys over samples that are no maps', async () => {
    const bytes = Buffer.from([1, 2]);
    assert.deepEqual(await sent({ a: 1 }, 5, null, 'x', undefined, bytes, true, { a: 2 }), [
      { a: 1 },
      5,
      null,
      'x',
      undefined,
      bytes,
      true,
      [2],
    ]);
  });

  it('are marked where an array is an array, once a map went out', async () => {
    assert.deepEqual(await sent([1], { a: 1 }, [2], { a: 3 }, [], [4, 5], { a: 6 }), [
      [1],
      { a: 1 },
      marked([2]),
      [3],
      marked([]),
      marked([4, 5]),
      [6],
    ]);
    assert.deepEqual(await sent({ a: 1 }, new Set([7]), new Float32Array([1])), [
      { a: 1 },
      marked([7]),
      marked([1]),
    ]);
  });

  it('go by what is sent, whatever object it was made of', async () => {
    class Reading {
      constructor(readonly a: number) {}
    }
    const json = { toJSON: () => ({ a: 4 }) };
    assert.deepEqual(await sent(new Map([['a', 1]]), { a: 2 }, new Reading(3), json), [
      { a: 1 },
      [2],
      [3],
      [4],
    ]);
    let calls = 0;
    const fickle = {
      a: 1,
      get b() {
        return calls++ % 2 === 0 ? undefined : 2;
      },
    };
    assert.deepEqual(await sent(fickle, fickle, { a: 3 }, { a: 4, b: 5 }), [
      { a: 1 },
      { a: 1, b: 2 },
      { a: 3 },
      { a: 4, b: 5 },
    ]);
  });

  it('are in full where the keys could not be restored', async () => {
    const many = (value: number): object =>
      Object.fromEntries(Array.from({ length: 1025 }, (_, index) => [`k${index}`, value]));
    const indexed = [
      { a: 1, 7: 2 },
      { a: 3, 7: 4 },
    ];
    assert.deepEqual(await sent(...indexed), indexed);
    assert.deepEqual(await sent({}, {}, many(1), many(2)), [{}, {}, many(1), many(2)]);
    const surrogates = [{ 'a\ud800': 1 }, { 'a\ud800': 2 }];
    assert.deepEqual(await sent(...surrogates), [{ 'a\ufffd': 1 }, { 'a\ufffd': 2 }]);
    assert.deepEqual(await sent({ a: 1 }, { 0: 2 }, { a: 3 }, { a: 4 }), [{ a: 1 }, { 0: 2 }, { a: 3 }, [4]]);
  });

  it('are compact for long keys, many keys and nested values, too', async () => {
    const wide = (value: unknown): object =>
      Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`${'k'.repeat(40)}${index}`, value]));
    const nested = {
      list: [1, { deep: [2, 'x'.repeat(300)] }],
      bytes: Buffer.alloc(200, 7),
      n: null,
      f: 0.1,
    };
    const [, second] = await sent(wide(nested), wide(nested));
    assert.deepEqual(second, Array(200).fill(nested));
  });
});

describe('A compact stream', () => {
  it('starts anew under its id: the next map is in full', async () => {
    const rig = await compactHost();
    await startCompact(rig);
    rig.resource.publish({ a: 1 });
    rig.resource.publish({ a: 2 });
    await rig.clock.settle();
    assert.deepEqual(samples(rig), [{ a: 1 }, [2]]);
    await startCompact(rig);
    rig.resource.publish({ a: 3 });
    rig.resource.publish({ a: 4 });
    await rig.clock.settle();
    assert.deepEqual(samples(rig), [{ a: 3 }, [4]]);
    await endQuietly(rig);
  });

  it('marks arrays after a restart, also one without the wish: the opener may hold the old keys', async () => {
    for (const parameters of [{ compact: true }, { interval: 0 }]) {
      const rig = await compactHost();
      await startCompact(rig);
      rig.resource.publish({ a: 1 });
      await rig.clock.settle();
      rig.peer.take();
      await startCompact(rig, 161, parameters);
      rig.resource.publish([2]);
      rig.resource.publish({ a: 3 });
      rig.resource.publish({ a: 4 });
      await rig.clock.settle();
      const isCompact = 'compact' in parameters;
      assert.deepEqual(samples(rig), [marked([2]), { a: 3 }, isCompact ? [4] : { a: 4 }]);
      await endQuietly(rig);
    }
  });

  it('begins without keys after it was stopped', async () => {
    const rig = await compactHost();
    await startCompact(rig);
    rig.resource.publish({ a: 1 });
    await rig.clock.settle();
    rig.peer.take();
    rig.peer.send({ type: STOP_STREAM, streamId: 161 });
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [{ type: OK, streamId: 161 }]);
    await startCompact(rig);
    rig.resource.publish([2]);
    rig.resource.publish({ a: 3 });
    await rig.clock.settle();
    assert.deepEqual(samples(rig), [[2], { a: 3 }]);
    await endQuietly(rig);
  });

  it('may stand beside others of the resource, of either form', async () => {
    const rig = await compactHost();
    await startCompact(rig, 1);
    rig.resource.publish({ a: 1 });
    await rig.clock.settle();
    rig.peer.take();
    await startCompact(rig, 2);
    rig.peer.send({ type: START_STREAM, streamId: 3, resource: 'r' });
    await rig.clock.settle();
    rig.peer.take();
    rig.resource.publish({ a: 2 });
    rig.resource.publish({ b: 3 });
    rig.resource.publish({ b: 4 });
    await rig.clock.settle();
    const of = (id: number): unknown[] =>
      rig.peer.messages.filter(({ streamId }) => streamId === id).map(({ payload }) => payload);
    assert.deepEqual(of(1), [[2], { b: 3 }, [4]]);
    assert.deepEqual(of(2), [{ a: 2 }, { b: 3 }, [4]]);
    assert.deepEqual(of(3), [{ a: 2 }, { b: 3 }, { b: 4 }]);
    await endQuietly(rig);
  });

  it('is told the keys again when the sample with them gave way to newer ones', async () => {
    const rig = await compactHost({
      options: { maxQueuedSamples: 2 },
      memory: { windowBytes: 64, highWaterMark: 100 },
    });
    await startCompact(rig);
    rig.peer.pause();
    rig.resource.publish('x'.repeat(200));
    rig.resource.publish({ a: 1 });
    for (let value = 2; value < 5; value++) rig.resource.publish({ a: value });
    rig.peer.resume();
    await rig.clock.settle();
    assert.deepEqual(samples(rig).slice(1), [{ a: 3 }, [4]]);
    rig.resource.publish({ a: 5 });
    await rig.clock.settle();
    assert.deepEqual(samples(rig), [[5]]);
    await endQuietly(rig);
  });

  it('keeps the keys that it told while a sample that is refused passes by', async () => {
    const rig = await compactHost({ options: { peerMaxBodySize: 100 } });
    await startCompact(rig);
    rig.resource.publish({ a: 1 });
    const large = { b: 'x'.repeat(100) };
    assert.throws(() => rig.resource.publish(large), { code: 'IOTMP_ERR_TOO_LARGE' });
    assert.throws(() => rig.resource.publish({ b: Symbol('x') }), { code: 'IOTMP_ERR_ENCODE' });
    rig.resource.publish({ a: 2 });
    await rig.clock.settle();
    assert.deepEqual(samples(rig), [{ a: 1 }, [2]]);
    await endQuietly(rig);
  });

  it('takes what is written into it as it stands', async () => {
    const inputs: unknown[] = [];
    const rig = await compactHost({}, { kind: 'input', run: ({ payload }) => void inputs.push(payload) });
    await startCompact(rig);
    for (const payload of [{ a: 1 }, [2], { a: 3 }])
      rig.peer.send({ type: STREAM_DATA, streamId: 161, payload });
    await rig.clock.settle();
    assert.deepEqual(inputs, [{ a: 1 }, [2], { a: 3 }]);
    await endQuietly(rig);
  });
});
