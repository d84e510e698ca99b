import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { MessageType } from '../../../src/codec/constants';
import { endQuietly, type Rig } from '../support/session-pair';
import { compactServer } from './compact-rig';
import { Listener } from './own-stream';
import type { SessionStream } from '../../../src/session/streams/session-stream';

const { OK, ERROR, STREAM_DATA } = MessageType;

interface Receiving extends Rig {
  readonly listener: Listener;
  readonly stream: SessionStream;
}

/** A stream that was opened with the wish for the compact form, under the id 1. */
async function receiving(parameters?: unknown): Promise<Receiving> {
  const rig = await compactServer();
  const listener = new Listener();
  const opening = rig.session.openStream('r', listener, { parameters });
  rig.peer.send({ type: OK, streamId: 1 });
  const stream = await opening;
  rig.peer.take();
  return Object.assign(rig, { listener, stream });
}

async function feed(rig: Rig, ...payloads: unknown[]): Promise<void> {
  for (const payload of payloads) rig.peer.send({ type: STREAM_DATA, streamId: 1, payload });
  await rig.clock.settle();
}

/** What the listener hears of these payloads. */
async function heard(...payloads: unknown[]): Promise<unknown[]> {
  const rig = await receiving();
  await feed(rig, ...payloads);
  await endQuietly(rig);
  return rig.listener.data;
}

const many = (count: number, value: unknown): object =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, value]));

describe('The opener of a compact stream', () => {
  it('restores the keys of the last map, in their order', async () => {
    const data = await heard({ b: 1, a: 2 }, [3, 4], { a: 5, b: 6 }, [7, 8]);
    assert.deepEqual(data, [
      { b: 1, a: 2 },
      { b: 3, a: 4 },
      { a: 5, b: 6 },
      { a: 7, b: 8 },
    ]);
    assert.deepEqual(
      data.map((sample) => Object.keys(sample as object).join('')),
      ['ba', 'ba', 'ab', 'ab'],
    );
  });

  it('reads the 14 bytes as they are published', async () => {
    const rig = await receiving();
    await feed(rig, { temperature: 23.5, humidity: 60 });
    rig.peer.sendBytes('0a 0b 08 01 1a e2 40 00 00 bc 41 1f 3c');
    await rig.clock.settle();
    const sample = { temperature: 23.5, humidity: 60 };
    assert.deepEqual(rig.listener.data, [sample, sample]);
    await endQuietly(rig);
  });

  it('gives each sample an object of its own', async () => {
    const rig = await receiving();
    await feed(rig, { a: 1 });
    (rig.listener.data[0] as Record<string, number>).b = 2;
    await feed(rig, [3], [4]);
    (rig.listener.data[1] as Record<string, number>).c = 5;
    await feed(rig, [6]);
    assert.deepEqual(rig.listener.data.slice(1), [{ a: 3, c: 5 }, { a: 4 }, { a: 6 }]);
    await endQuietly(rig);
  });

  it('makes an own property of __proto__', async () => {
    const [, sample] = await heard(JSON.parse('{"__proto__":{"x":1},"constructor":1}'), [{ x: 2 }, 3]);
    assert.deepEqual(sample, JSON.parse('{"__proto__":{"x":2},"constructor":3}'));
    assert.equal(Object.getPrototypeOf(sample), Object.prototype);
    assert.deepEqual(Object.keys(sample as object), ['__proto__', 'constructor']);
  });

  it('takes a marked array for itself', async () => {
    const rig = await receiving();
    await feed(rig, { a: 1 });
    rig.peer.send({ type: STREAM_DATA, streamId: 1, payload: [2], parameters: 2 });
    await feed(rig, [3]);
    assert.deepEqual(rig.listener.data, [{ a: 1 }, [[2], 2], { a: 3 }]);
    await endQuietly(rig);
  });

  it('takes an array for itself before any map, and one of another length', async () => {
    assert.deepEqual(await heard([1], { a: 1, b: 2 }, [], [3], [4, 5, 6], [7, 8]), [
      [1],
      { a: 1, b: 2 },
      [],
      [3],
      [4, 5, 6],
      { a: 7, b: 8 },
    ]);
  });

  it('takes an array for itself after a map that could not be restored', async () => {
    assert.deepEqual(await heard({ a: 1 }, {}, [], [1]), [{ a: 1 }, {}, [], [1]]);
    assert.deepEqual(await heard({ a: 1 }, { b: 1, 0: 2 }, [3, 4]), [{ a: 1 }, { 0: 2, b: 1 }, [3, 4]]);
    assert.deepEqual(await heard({ '\ufffd': 1 }, [2]), [{ '\ufffd': 1 }, [2]]);
    const large = many(1025, 0);
    const values = Array(1025).fill(1);
    assert.deepEqual(await heard(large, values), [large, values]);
    assert.deepEqual(await heard(many(1024, 0), Array(1024).fill(1)), [many(1024, 0), many(1024, 1)]);
  });

  it('is not troubled by a huge array', async () => {
    const rig = await receiving();
    await feed(rig, { a: 1, b: 2 }, Array(200_000).fill(0), [3, 4]);
    assert.equal((rig.listener.data[1] as unknown[]).length, 200_000);
    assert.deepEqual(rig.listener.data[2], { a: 3, b: 4 });
    assert.equal(rig.session.state, 'open');
    await endQuietly(rig);
  });

  it('restores samples that come before the OK', async () => {
    const rig = await compactServer();
    const listener = new Listener();
    const opening = rig.session.openStream('r', listener);
    await feed(rig, { a: 1 }, [2]);
    rig.peer.send({ type: OK, streamId: 1 });
    await opening;
    assert.deepEqual(listener.data, [{ a: 1 }, { a: 2 }]);
    await endQuietly(rig);
  });

  it('does not, if it did not ask', async () => {
    const rig = await receiving(5000);
    await feed(rig, { a: 1 }, [2]);
    assert.deepEqual(rig.listener.data, [{ a: 1 }, [2]]);
    await endQuietly(rig);
  });

  it('keeps the keys until the stream that was started again tells others', async () => {
    const rig = await receiving();
    await feed(rig, { a: 1 });
    const restarting = rig.stream.restart({ interval: 100 });
    await feed(rig, [2]);
    rig.peer.send({ type: OK, streamId: 1 });
    await restarting;
    await feed(rig, { b: 3 }, [4]);
    assert.deepEqual(rig.listener.data, [{ a: 1 }, { a: 2 }, { b: 3 }, { b: 4 }]);
    await endQuietly(rig);
  });

  it('keeps the keys when the restart is refused', async () => {
    const rig = await receiving();
    await feed(rig, { a: 1 });
    const restarting = rig.stream.restart({ interval: 100 });
    rig.peer.send({ type: ERROR, streamId: 1 });
    await assert.rejects(restarting, { code: 'IOTMP_ERR_REMOTE' });
    await feed(rig, [2]);
    assert.deepEqual(rig.listener.data, [{ a: 1 }, { a: 2 }]);
    await endQuietly(rig);
  });

  it('asks with a restart for what it did not ask for before', async () => {
    const rig = await receiving(5000);
    const restarting = rig.stream.restart({ interval: 100 });
    rig.peer.send({ type: OK, streamId: 1 });
    await restarting;
    await feed(rig, { a: 1 }, [2]);
    assert.deepEqual(rig.listener.data, [{ a: 1 }, { a: 2 }]);
    await endQuietly(rig);
  });

  it('writes in full', async () => {
    const rig = await receiving();
    for (const value of [{ a: 1 }, { a: 2 }, [3]]) rig.stream.write(value);
    await rig.clock.settle();
    const data = { type: STREAM_DATA, streamId: 1 };
    assert.deepEqual(rig.peer.take(), [
      { ...data, payload: { a: 1 } },
      { ...data, payload: { a: 2 } },
      { ...data, payload: [3] },
    ]);
    await endQuietly(rig);
  });
});
