import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { IotmpError } from '../../../src/errors';
import { createMemoryPair } from '../../../src/transport/memory-transport';
import type { Transport } from '../../../src/transport/transport';
import { Scene } from './support';

const GONE = new IotmpError('IOTMP_ERR_CLOSED', 'gone');

/** How long the clock runs until the next attempt, in ms, found in steps of 100. */
async function untilNextAttempt(scene: Scene, limitMs = 120_000): Promise<number> {
  const before = scene.attempts;
  for (let ms = 100; ms <= limitMs; ms += 100) {
    await scene.clock.advance(100);
    if (scene.attempts > before) return ms;
  }
  throw new Error(`no attempt within ${limitMs} ms`);
}

describe('reconnect', () => {
  it('returns when the server does', async () => {
    const scene = new Scene();
    await scene.open();
    scene.server.outage = new IotmpError('IOTMP_ERR_CONNECT', 'connection refused');
    scene.server.session.destroy(GONE);
    await scene.clock.advance(20_000);
    assert.equal(scene.client.state, 'waiting');
    assert.equal(scene.client.lastError?.message, 'connection refused');
    scene.server.outage = undefined;
    await scene.clock.advance(20_000);
    assert.equal(scene.client.state, 'open');
    assert.deepEqual(scene.states.slice(0, 4), ['connecting', 'open', 'waiting', 'connecting']);
    assert.equal(scene.states.at(-1), 'open');
    await scene.close();
    assert.equal(scene.clock.pending, 0);
  });

  it('waits longer from failure to failure', async () => {
    const scene = new Scene({ reconnect: { minMs: 1000, maxMs: 8000 } });
    scene.server.outage = new Error('unreachable');
    await scene.connect();
    const waits: number[] = [];
    for (let i = 0; i < 6; i++) waits.push(await untilNextAttempt(scene));
    assert.deepEqual(waits, [1000, 2000, 4000, 8000, 8000, 8000]);
    await scene.close();
  });

  it('shortens the waits at random, by a half at most', async () => {
    const scene = new Scene({ random: () => 0 });
    scene.server.outage = new Error('unreachable');
    await scene.connect();
    assert.equal(await untilNextAttempt(scene), 500);
    assert.equal(await untilNextAttempt(scene), 1000);
    await scene.close();
  });

  it('hammers no server that lets it in and throws it out', async () => {
    const scene = new Scene();
    await scene.open();
    const waits: number[] = [];
    for (let i = 0; i < 5; i++) {
      scene.server.session.close();
      waits.push(await untilNextAttempt(scene));
      assert.equal(scene.client.state, 'open');
    }
    assert.deepEqual(waits, [1000, 2000, 4000, 8000, 16_000]);
    await scene.close();
  });

  it('begins with short waits again after a session of ten seconds', async () => {
    const scene = new Scene();
    await scene.open();
    for (let i = 0; i < 3; i++) {
      scene.server.session.close();
      await untilNextAttempt(scene);
    }
    await scene.clock.advance(10_000);
    scene.server.session.close();
    assert.equal(await untilNextAttempt(scene), 1000);
    await scene.close();
  });

  it('does not come back at once after another connection took its place', async () => {
    const scene = new Scene();
    await scene.open();
    await scene.clock.advance(30_000);
    scene.server.session.close();
    await scene.clock.settle();
    assert.equal(scene.client.state, 'waiting');
    assert.match(scene.client.lastError?.message ?? '', /disconnected/);
    await scene.clock.advance(999);
    assert.equal(scene.attempts, 1);
    await scene.clock.advance(1);
    assert.equal(scene.attempts, 2);
    await scene.close();
  });

  it('keeps counting its stream ids over connections', async () => {
    const scene = new Scene();
    scene.server.resources.host('value', { kind: 'output', run: () => 1 });
    await scene.open();
    await scene.client.call('value');
    await scene.client.call('value');
    scene.server.session.close();
    await scene.clock.advance(1000);
    assert.deepEqual(
      scene.server.connects.map(({ streamId }) => streamId),
      [1, 4],
    );
    await scene.close();
  });

  it('closes a connection that came too late to be of use', async () => {
    const [near, far] = createMemoryPair();
    let arrive: (transport: Transport) => void = () => undefined;
    const slow = new Promise<Transport>((resolve) => (arrive = resolve));
    const scene = new Scene({ connectTransport: () => slow });
    await scene.connect();
    let ends = 0;
    far.start({ onData: () => undefined, onDrain: () => undefined, onClose: () => ends++ });
    const closed = scene.client.close();
    arrive(near);
    await closed;
    await scene.clock.settle();
    assert.equal(ends, 1);
    assert.equal(scene.clock.pending, 0);
  });

  it('makes no attempt beside another', async () => {
    let open = 0;
    let most = 0;
    const scene: Scene = new Scene({
      connectTransport: (_target, { signal } = {}) => {
        most = Math.max(most, ++open);
        return new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => {
            open--;
            reject(new IotmpError('IOTMP_ERR_ABORTED', 'given up'));
          });
        });
      },
    });
    await scene.connect();
    scene.client.update({ credential: 'b' });
    await scene.clock.settle();
    scene.client.update({ credential: 'c' });
    await scene.clock.settle();
    assert.equal(most, 1);
    assert.equal(open, 1);
    await scene.close();
    assert.equal(open, 0);
  });

  it('bears a listener that closes the client in any state', async () => {
    for (const moment of ['connecting', 'open', 'waiting'] as const) {
      const scene = new Scene();
      let closed: Promise<void> | undefined;
      scene.client.on('state', (state) => {
        if (state === moment) closed ??= scene.client.close();
      });
      await scene.connect();
      if (moment === 'waiting') scene.server.session.close();
      await scene.clock.settle();
      await closed;
      assert.equal(scene.client.state, 'closed');
      assert.equal(scene.states.at(-1), 'closed');
      await scene.close();
      assert.equal(scene.clock.pending, 0, moment);
    }
  });
});
