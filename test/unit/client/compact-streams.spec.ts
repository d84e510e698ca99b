import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Notes } from './stream-fixtures';
import { Scene } from './support';

const sample = (humidity: number): object => ({ temperature: 23.5, humidity });

/** Bytes that the client received while something happened. */
async function received(scene: Scene, happen: () => void): Promise<number> {
  const before = scene.server.session.outbox.bytes;
  happen();
  await scene.clock.settle();
  return scene.server.session.outbox.bytes - before;
}

describe('a client with compact streams', () => {
  it('offers them in CONNECT, beside what else it says', async () => {
    for (const [options, parameters] of [
      [{}, undefined],
      [{ compactStreams: false }, undefined],
      [{ compactStreams: true }, { cs: 1 }],
      [
        { compactStreams: true, keepAliveS: 30 },
        { cs: 1, ka: 30 },
      ],
    ] as const) {
      const scene = new Scene(options);
      await scene.open();
      assert.deepEqual(scene.server.connects[0]?.parameters, parameters);
      assert.equal(scene.server.session.outbox.compact, parameters !== undefined);
      await scene.close();
    }
  });

  it('gets the values alone after the first sample, and hears the whole samples', async () => {
    const scene = new Scene({ compactStreams: true });
    const feed = scene.server.resources.host('feed', { kind: 'input', run: () => undefined });
    await scene.open();
    const notes = new Notes();
    scene.client.stream('feed', {}, notes);
    await scene.clock.settle();
    // One byte less than published: the stream id is small.
    assert.equal(await received(scene, () => feed.publish(sample(60))), 34);
    assert.equal(await received(scene, () => feed.publish(sample(61))), 13);
    assert.deepEqual(notes.samples, [sample(60), sample(61)]);
    await scene.close();
  });

  it('gets the first sample after a reconnect in full', async () => {
    const scene = new Scene({ compactStreams: true });
    const feed = scene.server.resources.host('feed', { kind: 'input', run: () => undefined });
    const notes = new Notes();
    scene.client.stream('feed', {}, notes);
    await scene.open();
    for (let connection = 0; connection < 3; connection++) {
      assert.equal(await received(scene, () => feed.publish(sample(40))), 34);
      assert.equal(await received(scene, () => feed.publish(sample(41))), 13);
      scene.server.session.close();
      await scene.clock.advance(2000);
    }
    assert.deepEqual(notes.samples, [40, 41, 40, 41, 40, 41].map(sample));
    await scene.close();
  });

  it('sends its own samples so', async () => {
    const scene = new Scene({ compactStreams: true });
    await scene.open();
    let humidity = 60;
    scene.client.host('climate', { kind: 'output', run: () => sample(humidity++) });
    const { session } = scene.server;
    const samples: unknown[] = [];
    const listener = { onData: (payload: unknown): void => void samples.push(payload) };
    await session.openStream('climate', listener, { parameters: { interval: 1000 } });
    const before = session.bytesIn;
    await scene.clock.advance(3000);
    assert.equal(session.bytesIn - before, 3 * 13);
    assert.deepEqual(samples, [60, 61, 62, 63].map(sample));
    await scene.close();
  });
});
