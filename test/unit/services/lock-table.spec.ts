import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'mocha';
import fc from 'fast-check';
import { IotmpError } from '../../../src/errors';
import { LockTable, type LockWish } from '../../../src/services/lock-table';
import { FakeClock } from '../support/fake-clock';

/** A lock table with owners by name, and what became of their wishes in the order in which it did. */
class Scene {
  readonly clock = new FakeClock();
  limits = { locksPerDevice: 64, locks: 100_000 };
  readonly table = new LockTable(this.clock, () => this.limits);
  readonly log: string[] = [];
  readonly #owners = new Map<string, AbortController>();

  owner(name: string): AbortSignal {
    const controller = this.#owners.get(name) ?? new AbortController();
    this.#owners.set(name, controller);
    return controller.signal;
  }

  /** The owner is gone; one of the same name is another. */
  kill(name: string): void {
    this.#owners.get(name)?.abort();
    this.#owners.delete(name);
  }

  /** Logs `name has` or `name: error code`. */
  async want(name: string, wish: Partial<LockWish> = {}, lock = 'crane'): Promise<void> {
    const full: LockWish = { owner: this.owner(name), id: name, slots: 1, waitMs: 1000, ...wish };
    await (async () => this.table.acquire(lock, full))().then(
      () => this.log.push(`${name} has`),
      (error: unknown) =>
        this.log.push(`${name}: ${error instanceof IotmpError ? error.code : String(error)}`),
    );
  }

  give(name: string, id: string | undefined = name, lock = 'crane'): void {
    this.table.release(lock, this.owner(name), id);
  }

  /** What has happened since the last time. */
  async news(): Promise<string[]> {
    await this.clock.settle();
    return this.log.splice(0);
  }
}

describe('lock table', () => {
  it('serves those who wait in the order in which they came', async () => {
    const scene = new Scene();
    for (const name of ['a', 'b', 'c', 'd']) void scene.want(name);
    assert.deepEqual(await scene.news(), ['a has']);
    scene.give('a');
    assert.deepEqual(await scene.news(), ['b has']);
    scene.give('c');
    scene.give('b');
    assert.deepEqual(await scene.news(), ['c: IOTMP_ERR_ABORTED', 'd has']);
    scene.give('d');
    assert.deepEqual([scene.table.size, scene.clock.pending], [0, 0]);
  });

  it('lets as many in at once as each of them bears', async () => {
    const scene = new Scene();
    for (const name of ['a', 'b', 'c']) void scene.want(name, { slots: 2 });
    assert.deepEqual(await scene.news(), ['a has', 'b has']);
    void scene.want('alone', { slots: 1 });
    void scene.want('d', { slots: 5 });
    scene.give('a');
    assert.deepEqual(await scene.news(), ['c has']);
    scene.give('b');
    assert.deepEqual(await scene.news(), [], 'd does not overtake the one that wants it alone');
    scene.give('c');
    assert.deepEqual(await scene.news(), ['alone has']);
    scene.give('alone');
    assert.deepEqual(await scene.news(), ['d has']);
  });

  it('ends a wait in time, not before, and serves those behind', async () => {
    const scene = new Scene();
    void scene.want('a', { slots: 2 });
    void scene.want('b', { slots: 1, waitMs: 500 });
    void scene.want('c', { slots: 2 });
    await scene.clock.advance(499);
    assert.deepEqual(await scene.news(), ['a has']);
    await scene.clock.advance(1);
    assert.deepEqual(await scene.news(), ['b: IOTMP_ERR_LOCKED', 'c has']);
  });

  it('does not wait at all for 0', async () => {
    const scene = new Scene();
    void scene.want('a', { waitMs: 0 });
    void scene.want('b', { waitMs: 0 });
    assert.deepEqual(await scene.news(), ['a has', 'b: IOTMP_ERR_LOCKED']);
    assert.equal(scene.clock.pending, 0);
  });

  it('frees what an owner had when the owner is gone, and forgets what it waited for', async () => {
    const scene = new Scene();
    void scene.want('a');
    void scene.want('a', {}, 'gate');
    void scene.want('b');
    void scene.want('b', {}, 'gate');
    void scene.want('c');
    assert.equal(getEventListeners(scene.owner('a'), 'abort').length, 1);
    assert.deepEqual(await scene.news(), ['a has', 'a has']);
    scene.kill('b');
    scene.kill('a');
    assert.deepEqual(await scene.news(), ['b: IOTMP_ERR_ABORTED', 'b: IOTMP_ERR_ABORTED', 'c has']);
    assert.equal(scene.table.size, 1);
    scene.give('c');
    assert.equal(getEventListeners(scene.owner('c'), 'abort').length, 0);
  });

  it('takes the same claim again as a reminder, and refuses it while the first one waits', async () => {
    const scene = new Scene();
    void scene.want('a');
    void scene.want('a');
    void scene.want('b');
    void scene.want('b');
    assert.deepEqual(await scene.news(), ['a has', 'a has', 'b: IOTMP_ERR_CONFLICT']);
    scene.give('a');
    assert.deepEqual(await scene.news(), ['b has'], 'a had it once');
    void scene.want('c', { id: 'b' });
    assert.deepEqual(await scene.news(), [], 'an id means something only for its owner');
  });

  it('makes ids for those who give none, and gives back the oldest', () => {
    const scene = new Scene();
    const wish: LockWish = { owner: scene.owner('a'), id: undefined, slots: 2, waitMs: 0 };
    const first = scene.table.acquire('crane', wish);
    const second = scene.table.acquire('crane', wish);
    assert.ok(typeof first === 'string' && typeof second === 'string' && first !== second);
    scene.table.release('crane', scene.owner('a'), undefined);
    assert.throws(() => scene.table.release('crane', scene.owner('a'), first), {
      code: 'IOTMP_ERR_NOT_FOUND',
    });
    scene.table.release('crane', scene.owner('a'), second);
    assert.equal(scene.table.size, 0);
  });

  it('is given back by its owner only', async () => {
    const scene = new Scene();
    void scene.want('a');
    await scene.news();
    assert.throws(() => scene.give('b', 'a'), { code: 'IOTMP_ERR_CONFLICT' });
    assert.throws(() => scene.table.release('crane', scene.owner('b'), undefined), {
      code: 'IOTMP_ERR_CONFLICT',
    });
    assert.throws(() => scene.give('b', 'x'), { code: 'IOTMP_ERR_NOT_FOUND' });
    assert.throws(() => scene.give('a', 'x'), { code: 'IOTMP_ERR_NOT_FOUND' });
    assert.throws(() => scene.give('a', 'a', 'gate'), { code: 'IOTMP_ERR_NOT_FOUND' });
    scene.give('a');
    assert.throws(() => scene.give('a'), { code: 'IOTMP_ERR_NOT_FOUND' });
  });

  it('are bounded for all owners together, and free again when one goes', async () => {
    const scene = new Scene();
    scene.limits = { locksPerDevice: 2, locks: 3 };
    for (const [owner, lock] of [
      ['a', '1'],
      ['a', '2'],
      ['b', '3'],
      ['b', '4'],
      ['c', '3'],
    ] as const) {
      await scene.want(owner, {}, lock);
    }
    assert.deepEqual(scene.log, ['a has', 'a has', 'b has', 'b: IOTMP_ERR_BUSY', 'c: IOTMP_ERR_BUSY']);
    scene.kill('a');
    await scene.want('c', {}, '1');
    await scene.want('c', {}, '2');
    await scene.want('c', {}, '5');
    assert.deepEqual(scene.log.slice(5), ['c has', 'c has', 'c: IOTMP_ERR_BUSY']);
  });

  it('bounds what one owner has, and how many wait', async () => {
    const scene = new Scene();
    for (let i = 0; i < 65; i++) void scene.want('a', { id: `${i}` }, `lock ${i}`);
    const news = await scene.news();
    assert.deepEqual([news.length, news.at(-2), news.at(-1)], [65, 'a has', 'a: IOTMP_ERR_BUSY']);
    assert.equal(scene.table.size, 64);
    void scene.want('first');
    for (let i = 0; i < 1025; i++) void scene.want(`owner ${i}`);
    assert.deepEqual(await scene.news(), ['first has', 'owner 1024: IOTMP_ERR_BUSY']);
    scene.table.close();
    assert.equal((await scene.news()).length, 1024);
    assert.deepEqual([scene.table.size, scene.clock.pending], [0, 0]);
  });

  it('never has more holders than slots, never forgets one who waits, and leaves nothing behind', async () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    const step = fc.oneof(
      fc.record({ kind: fc.constant('want' as const), name }),
      fc.record({ kind: fc.constant('give' as const), name }),
      fc.record({ kind: fc.constant('kill' as const), name }),
      fc.record({ kind: fc.constant('wait' as const), name }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 3 }),
        fc.array(step, { maxLength: 40 }),
        async (slots, steps) => {
          const scene = new Scene();
          const holders = new Set<string>();
          const heard = async (): Promise<void> => {
            for (const line of await scene.news()) {
              const [who = ''] = line.split(' ');
              if (line.endsWith(' has')) holders.add(who);
            }
          };
          for (const { kind, name: who } of steps) {
            if (kind === 'want') void scene.want(who, { slots });
            else if (kind === 'wait') await scene.clock.advance(700);
            else if (kind === 'kill') {
              scene.kill(who);
              holders.delete(who);
            } else {
              try {
                scene.give(who);
                holders.delete(who);
              } catch (error) {
                assert.ok(error instanceof IotmpError && !holders.has(who));
              }
            }
            await heard();
            assert.ok(holders.size <= slots, `${holders.size} hold ${slots}`);
          }
          await scene.clock.advance(1000);
          await heard();
          for (const who of holders) scene.give(who);
          assert.deepEqual([scene.table.size, scene.clock.pending], [0, 0]);
        },
      ),
      { numRuns: 60 },
    );
  });
});
