import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Delivery } from '../../../src/transport/delivery';

const nextRound = () => new Promise((resolve) => setImmediate(resolve));

/** A delivery that was started, what its source was told, and how many bytes the handler got. */
function started() {
  const told: string[] = [];
  let bytes = 0;
  const delivery = new Delivery(
    { pause: () => told.push('pause'), resume: () => told.push('resume') },
    { handleFault: assert.ifError },
  );
  delivery.start({
    onData: (chunk) => (bytes += chunk.length),
    onDrain: () => undefined,
    onClose: () => undefined,
  });
  const take = (): string[] => told.splice(0);
  take();
  return { delivery, take, bytes: () => bytes };
}

describe('A delivery that is flooded', () => {
  it('lets the other connections have their turn after 64 KiB, and goes on then', async () => {
    const { delivery, take, bytes } = started();
    delivery.data(Buffer.alloc(65_535));
    assert.deepEqual(take(), []);
    delivery.data(Buffer.alloc(1));
    assert.deepEqual(take(), ['pause']);
    await nextRound();
    assert.deepEqual(take(), ['resume']);
    assert.equal(bytes(), 65_536);
  });

  it('hands out what the source still brings meanwhile', async () => {
    const { delivery, take, bytes } = started();
    delivery.data(Buffer.alloc(65_536));
    delivery.data(Buffer.alloc(10));
    assert.equal(bytes(), 65_546);
    await nextRound();
    assert.deepEqual(take(), ['pause', 'resume']);
  });

  it('stays paused where its handler has paused it', async () => {
    const { delivery, take } = started();
    delivery.data(Buffer.alloc(65_536));
    delivery.pause();
    take();
    await nextRound();
    assert.deepEqual(take(), []);
    delivery.resume();
    assert.deepEqual(take(), ['resume']);
  });

  it('asks nothing of a source that has ended', async () => {
    const { delivery, take } = started();
    delivery.data(Buffer.alloc(65_536));
    delivery.end(undefined);
    take();
    await nextRound();
    assert.deepEqual(take(), []);
  });
});
