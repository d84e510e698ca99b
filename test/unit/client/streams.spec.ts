import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { ClientStream } from '../../../src/client/client-stream';
import type { ResourceStream } from '../../../src/session/hosting/resource';
import { Scene } from './support';
import { Notes, withFeed } from './stream-fixtures';

describe('streams', () => {
  it('are opened on an open client and carry samples both ways', async () => {
    const { scene, opened } = withFeed();
    await scene.open();
    const notes = new Notes();
    const stream = scene.client.stream('feed', { parameters: { a: 1 }, payload: 'p' }, notes);
    assert.equal(stream.state, 'starting');
    assert.deepEqual(notes.states, []);
    await scene.clock.settle();
    assert.equal(stream.state, 'streaming');
    assert.deepEqual(notes.states, ['streaming']);
    assert.deepEqual(opened[0]?.parameters, { a: 1 });
    const written: unknown[] = [];
    opened[0].onData = (payload) => written.push(payload);
    opened[0].write(1);
    assert.equal(stream.write('hello'), true);
    await scene.clock.settle();
    assert.deepEqual(notes.samples, [1]);
    assert.deepEqual(written, ['hello']);
    await scene.close();
  });

  it('wait for the client, and are opened when it is open', async () => {
    const { scene, opened } = withFeed();
    const notes = new Notes();
    const stream = scene.client.stream('feed', {}, notes);
    assert.equal(stream.state, 'waiting');
    assert.throws(() => stream.write(1), { code: 'IOTMP_ERR_OFFLINE' });
    await scene.open();
    assert.deepEqual(notes.states, ['starting', 'streaming']);
    assert.equal(opened.length, 1);
    await scene.close();
  });

  it('join the interval to their parameters', async () => {
    const { scene, opened } = withFeed();
    await scene.open();
    scene.client.stream('feed', { parameters: { event: 'e' }, intervalMs: 250 }, new Notes());
    scene.client.stream(8, { parameters: { event: 'e' }, intervalMs: 0 }, new Notes());
    scene.client.stream(8, { parameters: 'text' }, new Notes());
    await scene.clock.settle();
    assert.deepEqual(
      opened.map(({ parameters }) => parameters),
      [{ event: 'e', interval: 250 }, { event: 'e' }, 'text'],
    );
    await scene.close();
  });

  it('refuse options that are not usable', async () => {
    const { scene } = withFeed();
    const code = 'IOTMP_ERR_CONFIG';
    for (const intervalMs of [-1, 1.5, NaN]) {
      assert.throws(() => scene.client.stream('feed', { intervalMs }, new Notes()), { code });
    }
    for (const parameters of ['x', 5, [1], Buffer.from('x')]) {
      assert.throws(() => scene.client.stream('feed', { parameters, intervalMs: 1 }, new Notes()), { code });
    }
    const listener = (() => undefined) as unknown as Notes;
    assert.throws(() => scene.client.watchProperty('mode', listener), { code, message: /onSample/ });
    await scene.close();
  });

  it('give the payload of the OK as the first sample', async () => {
    const { scene } = withFeed(() => ({ current: 7 }));
    await scene.open();
    const notes = new Notes();
    scene.client.stream(8, { parameters: { event: 'device_property_update', current: true } }, notes);
    await scene.clock.settle();
    assert.deepEqual(notes.samples, [{ current: 7 }]);
    await scene.close();
  });

  it('do not give the payload of the OK after a newer sample', async () => {
    const scene = new Scene();
    scene.server.resources.host('feed', {
      kind: 'output',
      run: () => undefined,
      open: (stream) => {
        stream.write('newer');
        return 'older';
      },
    });
    await scene.open();
    const notes = new Notes();
    scene.client.stream('feed', {}, notes);
    await scene.clock.settle();
    assert.deepEqual(notes.samples, ['newer']);
    await scene.close();
  });

  it('are stopped at the server when they are closed, and never heard of again', async () => {
    const { scene, opened } = withFeed();
    await scene.open();
    const notes = new Notes();
    const stream = scene.client.stream('feed', {}, notes);
    await scene.clock.settle();
    await stream.close();
    await stream.close();
    assert.equal(stream.closed, true);
    assert.equal(opened[0]?.closed, true);
    assert.equal(scene.server.session.streamCount, 0);
    assert.throws(() => stream.write(1), { code: 'IOTMP_ERR_CLOSED' });
    scene.server.session.close();
    await scene.clock.advance(1000);
    assert.equal(opened.length, 1);
    assert.deepEqual(notes.states, ['streaming']);
    await scene.close();
  });

  it('are stopped when they are closed while they start', async () => {
    const { scene, opened } = withFeed();
    await scene.open();
    const notes = new Notes();
    const stream = scene.client.stream('feed', {}, notes);
    await stream.close();
    await scene.clock.settle();
    assert.equal(opened.length, 1);
    assert.equal(opened[0]?.closed, true);
    assert.deepEqual(notes.states, []);
    await scene.close();
    assert.equal(scene.clock.pending, 0);
  });

  it('are stopped when the first sample closes them, before they are known to be open', async () => {
    const scene = new Scene();
    const opened: ResourceStream[] = [];
    scene.server.resources.host('feed', {
      kind: 'output',
      run: () => undefined,
      open: (stream) => {
        opened.push(stream);
        stream.write('only');
      },
    });
    await scene.open();
    const states: string[] = [];
    const stream: ClientStream = scene.client.stream(
      'feed',
      {},
      { onSample: () => void stream.close(), onState: (state) => states.push(state) },
    );
    await scene.clock.settle();
    assert.deepEqual([opened.length, opened[0]?.closed], [1, true]);
    assert.deepEqual(states, []);
    await scene.close();
    assert.equal(scene.clock.pending, 0);
  });

  it('leave no timer when they are closed while they wait to be tried again', async () => {
    const { scene, opened } = withFeed();
    await scene.open();
    const stream = scene.client.stream('feed', {}, new Notes());
    await scene.clock.settle();
    opened[0]?.close();
    await scene.clock.settle();
    await stream.close();
    await scene.clock.advance(60_000);
    assert.equal(opened.length, 1);
    await scene.close();
    assert.equal(scene.clock.pending, 0);
  });

  it('fail for good when the client is closed', async () => {
    const { scene } = withFeed();
    await scene.open();
    const notes = new Notes();
    const stream = scene.client.stream('feed', {}, notes);
    await scene.clock.settle();
    await scene.client.close();
    assert.deepEqual(notes.states, ['streaming', 'failed']);
    assert.equal(notes.errors[1]?.message, 'the client was closed');
    assert.equal(stream.closed, true);
    await stream.close();
    assert.throws(() => scene.client.stream('feed', {}, notes), { code: 'IOTMP_ERR_CLOSED' });
    await scene.close();
  });

  it('may be closed by their own listener, in any state', async () => {
    for (const moment of ['starting', 'streaming', 'waiting']) {
      const { scene, opened } = withFeed();
      const states: string[] = [];
      const stream: ClientStream = scene.client.stream(
        'feed',
        {},
        {
          onSample: () => undefined,
          onState: (state) => {
            states.push(state);
            if (state === moment) void stream.close();
          },
        },
      );
      await scene.open();
      if (moment === 'waiting') scene.server.session.close();
      await scene.clock.advance(20_000);
      assert.equal(states.at(-1), moment);
      assert.ok(opened.every(({ closed }) => closed));
      await scene.close();
      assert.equal(scene.clock.pending, 0, moment);
    }
  });

  it('cost nothing but a warning when their listener fails', async () => {
    const { scene, opened } = withFeed(() => 'first');
    await scene.open();
    const samples: unknown[] = [];
    const stream = scene.client.stream(
      'feed',
      {},
      {
        onSample: (payload) => {
          samples.push(payload);
          throw new Error('bad sample');
        },
        onState: () => {
          throw new Error('bad state');
        },
      },
    );
    await scene.clock.settle();
    opened[0]?.write('second');
    await scene.clock.settle();
    assert.deepEqual(samples, ['first', 'second']);
    assert.equal(stream.state, 'streaming');
    assert.equal(scene.client.state, 'open');
    assert.deepEqual(
      scene.warnings.map((text) => text.replace(/^.*: /, '')),
      ['bad state', 'bad sample', 'bad sample'],
    );
    await scene.close();
  });

  it('are bounded in number', async () => {
    const scene = new Scene();
    const streams = Array.from({ length: 1024 }, () => scene.client.stream('feed', {}, new Notes()));
    assert.throws(() => scene.client.stream('feed', {}, new Notes()), { code: 'IOTMP_ERR_BUSY' });
    await streams[0]?.close();
    scene.client.stream('feed', {}, new Notes());
    await scene.close();
  });
});
