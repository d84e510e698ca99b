import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { MessageType } from '../../../src/codec/constants';
import { createMemoryPair } from '../../../src/transport/memory-transport';
import { encodeMessage } from '../../../src/codec/writing/message-encoder';
import { Scene } from './support';

describe('keep-alive', () => {
  it('keeps a quiet session open for as long as the server echoes', async () => {
    const scene = new Scene({ keepAliveS: 20 });
    await scene.open();
    const before = scene.server.session.messagesIn;
    await scene.clock.advance(20_000 * 10);
    assert.equal(scene.client.state, 'open');
    assert.equal(scene.server.session.messagesIn - before, 10);
    assert.equal(scene.attempts, 1);
    await scene.close();
  });

  it('leaves a mute server and connects anew', async () => {
    const received: Buffer[] = [];
    const scene: Scene = new Scene({
      keepAliveS: 20,
      connectTransport: (target, options) => {
        if (scene.attempts > 0) return scene.server.connectTransport(target, options);
        // Says OK, and never a word again.
        scene.server.targets.push(target);
        const [near, far] = createMemoryPair({ clock: scene.clock });
        far.start({
          onData: (chunk) => {
            if (received.push(chunk) === 1) far.send(encodeMessage({ type: MessageType.OK, streamId: 1 }));
          },
          onDrain: () => undefined,
          onClose: () => undefined,
        });
        return Promise.resolve(near);
      },
    });
    await scene.open();
    await scene.clock.advance(29_999);
    assert.equal(scene.client.state, 'open');
    assert.equal(received.at(-1)?.toString('hex'), '0500');
    await scene.clock.advance(1);
    assert.equal(scene.client.state, 'waiting');
    assert.equal(scene.client.lastError?.code, 'IOTMP_ERR_TIMEOUT');
    await scene.clock.advance(1000);
    assert.equal(scene.client.state, 'open');
    assert.equal(scene.attempts, 2);
    await scene.close();
    assert.equal(scene.clock.pending, 0);
  });
});
