import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { MessageType } from '../../../src/codec/constants';
import { ReadingTurns, type TurnTaker } from '../../../src/session/wire/reading-turns';
import { FakeClock } from '../support/fake-clock';
import { openServer, type Rig } from '../support/session-pair';

const { RUN } = MessageType;
const round = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A connection with many messages, each of which takes 0.5 ms. */
class Flood implements TurnTaker {
  readonly #bench: Bench;
  readonly #name: string;
  #left: number;

  constructor(bench: Bench, name: string, left: number) {
    this.#bench = bench;
    this.#name = name;
    this.#left = left;
  }

  takeTurn(): void {
    while (this.#left > 0) {
      this.#left--;
      this.#bench.now += 0.5;
      this.#bench.order.push(this.#name);
      if (!this.#bench.turns.mayGoOn(this)) return;
    }
  }
}

class Bench {
  now = 0;
  readonly order: string[] = [];
  readonly turns = new ReadingTurns(() => this.now);

  /** What was taken since the last call. */
  taken(): string {
    return this.order.splice(0).join('');
  }
}

describe('Connections that flood', () => {
  it('take messages for 2 ms of a round, and then wait for the next one', async () => {
    const bench = new Bench();
    new Flood(bench, 'a', 11).takeTurn();
    // The 2 ms begin with the first question.
    assert.deepEqual([bench.taken(), bench.turns.waiting], ['aaaaa', 1]);
    await round();
    assert.deepEqual([bench.taken(), bench.turns.waiting], ['aaaa', 1]);
    await round();
    assert.deepEqual([bench.taken(), bench.turns.waiting], ['aa', 0]);
  });

  it('share a round, and are served in the order in which they asked', async () => {
    const bench = new Bench();
    for (const name of ['a', 'b', 'c']) new Flood(bench, name, 10).takeTurn();
    assert.equal(bench.taken(), 'aaaaabc');
    await round();
    assert.equal(bench.taken(), 'aabb');
    await round();
    assert.equal(bench.taken(), 'ccaa');
  });

  it('that find no time in a round come first in the next', async () => {
    const bench = new Bench();
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) new Flood(bench, name, 10).takeTurn();
    assert.equal(bench.taken(), 'aaaaabcdef');
    await round();
    assert.equal(bench.taken(), 'aabb');
    await round();
    assert.equal(bench.taken(), 'ccdd');
  });

  it('begin anew after a round in which nobody waited', async () => {
    const bench = new Bench();
    new Flood(bench, 'a', 5).takeTurn();
    await round();
    await round();
    assert.deepEqual([bench.taken(), bench.turns.waiting], ['aaaaa', 0]);
    new Flood(bench, 'b', 9).takeTurn();
    assert.equal(bench.taken(), 'bbbbb');
  });
});

describe('A device that floods', () => {
  const COUNT = 20_000;

  /** Serves `work`, and writes down whose call it was. */
  async function served(name: string, order: string[], clock: FakeClock): Promise<Rig> {
    const rig = await openServer({ clock });
    rig.host.host('work', {
      kind: 'run',
      run: ({ payload }) => void order.push(`${name}${Number(payload)}`),
    });
    return rig;
  }

  function flood(rig: Rig): void {
    const messages = Array.from({ length: COUNT }, (_, payload) => ({
      type: RUN,
      streamId: 0,
      payload,
      resource: 'work',
    }));
    rig.peer.send(...messages);
  }

  it('loses turns to others, and no message', async () => {
    const order: string[] = [];
    const clock = new FakeClock();
    const bad = await served('bad', order, clock);
    const good = await served('good', order, clock);
    flood(bad);
    await Promise.resolve();
    good.peer.send({ type: RUN, streamId: 0, payload: 0, resource: 'work' });
    await clock.settle();
    const at = order.indexOf('good0');
    assert.ok(at >= 0 && at < COUNT / 2, `served after ${at} of ${COUNT} messages of the other device`);
    order.splice(at, 1);
    assert.deepEqual(
      order,
      Array.from({ length: COUNT }, (_, index) => `bad${index}`),
    );
    assert.deepEqual([bad.warnings, bad.closes], [[], []]);
  });

  it('is not read while it waits for its turn and its reading was stopped', async () => {
    const order: string[] = [];
    const clock = new FakeClock();
    const bad = await served('bad', order, clock);
    flood(bad);
    await round();
    bad.session.reading.stop(order);
    const taken = order.length;
    assert.ok(taken < COUNT, 'the flood was taken at once');
    await clock.settle();
    assert.equal(order.length, taken);
    bad.session.reading.lift(order);
    await clock.settle();
    assert.equal(order.length, COUNT);
  });

  it('ends its turn the sooner where each message causes much work', async () => {
    const order: string[] = [];
    const rig = await openServer();
    rig.host.host('work', {
      kind: 'run',
      run: ({ payload }) => {
        const end = performance.now() + 0.1;
        while (performance.now() < end);
        order.push(`slow${Number(payload)}`);
        rig.session.reading.spend(64);
      },
    });
    flood(rig);
    await Promise.resolve();
    // The turn has 2 ms. Without the work, the time is looked at after 64 messages.
    assert.ok(order.length > 0 && order.length <= 22, `${order.length} messages in a turn`);
    rig.session.close();
    await rig.clock.settle();
  });

  it('is forgotten when its connection ends meanwhile', async () => {
    const order: string[] = [];
    const clock = new FakeClock();
    const bad = await served('bad', order, clock);
    flood(bad);
    await round();
    const taken = order.length;
    bad.session.close();
    await clock.settle();
    assert.deepEqual([order.length, clock.pending], [taken, 0]);
  });
});
