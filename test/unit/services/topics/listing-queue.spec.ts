import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, it } from 'mocha';
import { ListingQueue } from '../../../../src/services/topics/listing-queue';

/** Listings by their names, each of which runs until it is told to end. */
class Scene {
  readonly begun: string[] = [];
  readonly queue = new ListingQueue<string>((name) => {
    this.begun.push(name);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#ends.set(name, () => resolve(undefined));
    return promise.then(() => undefined);
  });
  readonly #ends = new Map<string, () => void>();

  async end(name: string): Promise<void> {
    this.#ends.get(name)?.();
    await nextTurn();
  }
}

describe('listings of retained messages', () => {
  it('of one owner run one at a time, in their order; those of others run meanwhile', async () => {
    const scene = new Scene();
    const over = scene.queue.add('pump', 'a');
    const rest = [scene.queue.add('pump', 'b'), scene.queue.add('pump', 'c'), scene.queue.add('lamp', 'x')];
    assert.deepEqual([scene.begun, scene.queue.size], [['a', 'x'], 4]);
    await scene.end('a');
    assert.deepEqual(scene.begun, ['a', 'x', 'b']);
    for (const name of ['x', 'b', 'c']) await scene.end(name);
    await Promise.all([over, ...rest]);
    assert.deepEqual([scene.begun, scene.queue.size], [['a', 'x', 'b', 'c'], 0]);
  });

  it('that are taken out do not run, and one that runs is not overtaken', async () => {
    const scene = new Scene();
    const over = scene.queue.add('pump', 'a');
    for (const name of ['b', 'c']) await scene.queue.add('pump', name);
    scene.queue.remove('pump', 'b');
    scene.queue.remove('pump', 'a');
    scene.queue.remove('lamp', 'a');
    assert.equal(scene.queue.size, 2);
    assert.deepEqual(scene.begun, ['a']);
    await scene.end('a');
    await scene.end('c');
    await over;
    assert.deepEqual([scene.begun, scene.queue.size], [['a', 'c'], 0]);
  });

  it('read four pages at once; whoever waits is next in his turn, also after a failure', async () => {
    const { queue } = new Scene();
    const pages = Array.from({ length: 7 }, () => Promise.withResolvers<number>());
    const begun: number[] = [];
    const reads = pages.map(({ promise }, index) =>
      queue.read(() => {
        begun.push(index);
        return promise;
      }),
    );
    await nextTurn();
    assert.deepEqual(begun, [0, 1, 2, 3]);
    pages[2]!.reject(new Error('no disk'));
    await assert.rejects(reads[2]!, /no disk/);
    await nextTurn();
    assert.deepEqual(begun, [0, 1, 2, 3, 4]);
    for (const [index, { resolve }] of pages.entries()) resolve(index);
    const rest = reads.filter((_, index) => index !== 2);
    assert.deepEqual(await Promise.all(rest), [0, 1, 3, 4, 5, 6]);
    assert.deepEqual(begun, [0, 1, 2, 3, 4, 5, 6]);
    assert.equal(await queue.read(() => Promise.resolve(7)), 7);
  });
});
