import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { IotmpError } from '../../../src/errors';
import { Notes, withFeed } from './stream-fixtures';

describe('streams that end', () => {
  it('are opened again after each reconnect, under new ids', async () => {
    const { scene, opened } = withFeed();
    const notes = new Notes();
    const stream = scene.client.stream('feed', { intervalMs: 500 }, notes);
    await scene.open();
    for (let i = 0; i < 2; i++) {
      scene.server.session.close();
      await scene.clock.settle();
      assert.equal(stream.state, 'waiting');
      await scene.clock.advance(2000);
      assert.equal(stream.state, 'streaming');
    }
    const again = ['waiting', 'starting', 'streaming'];
    assert.deepEqual(notes.states, ['starting', 'streaming', ...again, ...again]);
    assert.equal(new Set(opened.map(({ id }) => id)).size, 3);
    assert.deepEqual(
      opened.map(({ intervalMs }) => intervalMs),
      [500, 500, 500],
    );
    opened[0]?.write('old');
    opened[2]?.write('new');
    await scene.clock.settle();
    assert.deepEqual(notes.samples, ['new']);
    await scene.close();
    assert.equal(scene.clock.pending, 0);
  });

  it('have failed after a refusal, until the next reconnect', async () => {
    let closed = true;
    const { scene, opened } = withFeed(() => {
      if (closed) throw new IotmpError('IOTMP_ERR_NOT_ALLOWED', 'not now');
    });
    await scene.open();
    const notes = new Notes();
    const stream = scene.client.stream('feed', {}, notes);
    await scene.clock.settle();
    assert.equal(stream.state, 'failed');
    assert.deepEqual([notes.errors[0]?.code, notes.errors[0]?.message], ['IOTMP_ERR_REMOTE', 'not now']);
    assert.throws(() => stream.write(1), { code: 'IOTMP_ERR_OFFLINE' });
    closed = false;
    await scene.clock.advance(3_600_000);
    assert.equal(opened.length, 0);
    scene.server.session.close();
    await scene.clock.advance(1000);
    assert.equal(stream.state, 'streaming');
    assert.deepEqual(notes.states, ['failed', 'waiting', 'starting', 'streaming']);
    await scene.close();
  });

  it('are tried again when the server ends them, less and less often', async () => {
    const { scene, opened } = withFeed();
    await scene.open();
    const notes = new Notes();
    const stream = scene.client.stream('feed', {}, notes);
    await scene.clock.settle();
    for (const delay of [1000, 2000, 4000]) {
      opened.at(-1)?.close();
      await scene.clock.settle();
      assert.equal(stream.state, 'failed');
      assert.equal(notes.errors.at(-1)?.code, 'IOTMP_ERR_CLOSED');
      await scene.clock.advance(delay - 1);
      assert.equal(stream.state, 'failed');
      await scene.clock.advance(1);
      assert.equal(stream.state, 'streaming');
    }
    await scene.clock.advance(10_000);
    opened.at(-1)?.close();
    await scene.clock.advance(1000);
    assert.equal(stream.state, 'streaming');
    await scene.close();
    assert.equal(scene.clock.pending, 0);
  });

  it('are tried again when the server ends them together with its OK', async () => {
    const { scene, opened } = withFeed();
    await scene.open();
    scene.server.resources.host('flash', {
      kind: 'output',
      run: () => undefined,
      open: (stream) => {
        opened.push(stream);
        if (opened.length === 1) queueMicrotask(() => stream.close());
      },
    });
    const stream = scene.client.stream('flash', {}, new Notes());
    await scene.clock.settle();
    assert.equal(stream.state, 'failed');
    await scene.clock.advance(1000);
    assert.equal(stream.state, 'streaming');
    await scene.close();
  });

  it('are tried again when the server does not answer', async () => {
    let mute = true;
    const { scene, opened } = withFeed(() => (mute ? new Promise(() => undefined) : undefined));
    await scene.open();
    const notes = new Notes();
    const stream = scene.client.stream('feed', {}, notes);
    await scene.clock.advance(10_000);
    assert.equal(stream.state, 'failed');
    assert.equal(notes.errors[0]?.code, 'IOTMP_ERR_TIMEOUT');
    assert.equal(opened[0]?.closed, true);
    mute = false;
    await scene.clock.advance(1000);
    assert.equal(stream.state, 'streaming');
    await scene.close();
  });

  it('do not try again with what cannot be encoded', async () => {
    const { scene, opened } = withFeed();
    await scene.open();
    const stream = scene.client.stream('feed', { payload: () => 1 }, new Notes());
    await scene.clock.advance(600_000);
    assert.equal(stream.state, 'failed');
    assert.equal(opened.length, 0);
    await scene.close();
  });
});
