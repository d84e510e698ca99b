import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { WaitingRoom, type DoorLimits } from '../../../../src/broker/doors/waiting-room';
import type { Newcomer, WaitingPlace } from '../../../../src/transport/waiting-place';
import { FakeClock } from '../../support/fake-clock';

const LIMITS: DoorLimits = { maxConnections: 100, pendingConnections: 6, pendingPerAddress: 3 };

interface Guest {
  hasSent: boolean;
  readonly place: WaitingPlace;
}

class Bench {
  readonly clock = new FakeClock(5_000);
  limits: DoorLimits;
  readonly room: WaitingRoom;
  /** Names of those who were turned out, in order, and why. */
  readonly out: string[] = [];
  readonly reasons: string[] = [];
  /** How often a guest was asked whether it has sent anything. */
  asked = 0;
  #guests = 0;

  constructor(limits: Partial<DoorLimits> = {}) {
    this.limits = { ...LIMITS, ...limits };
    this.room = new WaitingRoom(this.clock, () => this.limits);
  }

  enter(name: string, address = `192.0.2.${++this.#guests}`, hasSent = false): Guest | undefined {
    const place = this.room.enter(`${address.includes(':') ? `[${address}]` : address}:1000`);
    if (place === undefined) return undefined;
    const guest = { hasSent, place };
    place.holder = this.#newcomer(name, guest);
    return guest;
  }

  #newcomer(name: string, guest: Guest): Newcomer {
    const noteAsked = (): void => {
      this.asked++;
    };
    return {
      get hasSent() {
        noteAsked();
        return guest.hasSent;
      },
      turnOut: (text: string) => {
        this.out.push(name);
        this.reasons.push(text);
      },
    };
  }

  fill(count: number, address?: string, hasSent?: boolean): void {
    for (let i = 0; i < count; i++) this.enter(`${address ?? ''}#${i}`, address, hasSent);
  }
}

describe('the waiting room', () => {
  it('counts a connection from its second second on, and not before', async () => {
    const bench = new Bench();
    bench.fill(50);
    await bench.clock.advance(999);
    assert.deepEqual([bench.out.length, bench.room.waiting], [0, 50]);
    await bench.clock.advance(1);
    assert.deepEqual([bench.out.length, bench.room.waiting, bench.room.taken], [44, 6, 6]);
    assert.equal(bench.clock.pending, 0);
  });

  it('keeps as many in all as it may, and one more costs the oldest its place', async () => {
    const bench = new Bench();
    bench.fill(6);
    await bench.clock.advance(1_000);
    assert.deepEqual(bench.out, []);
    bench.enter('seventh');
    await bench.clock.advance(999);
    assert.deepEqual(bench.out, []);
    await bench.clock.advance(1);
    assert.deepEqual(bench.out, ['#0']);
    assert.deepEqual(bench.reasons, ['gave way before its login: 7 connections in all wait for their login']);
  });

  it('keeps as many of one address as it may, and takes no place of another address', async () => {
    const bench = new Bench();
    bench.enter('other', '198.51.100.1');
    bench.fill(3, '192.0.2.9');
    await bench.clock.advance(1_000);
    assert.deepEqual(bench.out, []);
    bench.enter('fourth', '192.0.2.9');
    await bench.clock.advance(1_000);
    assert.deepEqual(bench.out, ['192.0.2.9#0']);
    assert.match(bench.reasons[0]!, /4 connections of this address wait for their login$/);
  });

  it('takes an IPv6 network for one address', async () => {
    const bench = new Bench();
    for (let i = 0; i < 5; i++) bench.enter(`a${i}`, `2001:db8:1:2::${i}`);
    bench.enter('b', '2001:db8:1:3::1');
    await bench.clock.advance(1_000);
    assert.deepEqual(bench.out, ['a0', 'a1']);
  });

  it('turns out the oldest that has sent nothing, then the oldest', async () => {
    const bench = new Bench({ pendingPerAddress: 4 });
    const early = bench.enter('a', '192.0.2.9')!;
    bench.enter('b', '192.0.2.9', true);
    bench.enter('c', '192.0.2.9');
    bench.enter('d', '192.0.2.9', true);
    await bench.clock.advance(1_000);
    early.hasSent = true;
    for (const name of ['e', 'f', 'g', 'h']) {
      bench.enter(name, '192.0.2.9', true);
      await bench.clock.advance(1_000);
    }
    assert.deepEqual(bench.out, ['c', 'a', 'b', 'd']);
  });

  it('turns out nobody who is younger than a second for the sake of a bound', async () => {
    const bench = new Bench({ pendingPerAddress: 100 });
    bench.fill(6, '192.0.2.9', true);
    await bench.clock.advance(500);
    bench.enter('young and silent');
    bench.enter('late', '192.0.2.9', true);
    await bench.clock.advance(999);
    assert.deepEqual(bench.out, []);
    await bench.clock.advance(1);
    assert.deepEqual(bench.out, ['young and silent', '192.0.2.9#0']);
  });

  it('gives places back, and counts nobody who is logged in or gone', async () => {
    const bench = new Bench();
    const guests = Array.from({ length: 9 }, (_, i) => bench.enter(`g${i}`)!);
    for (const { place } of guests.slice(0, 3)) place.letIn();
    await bench.clock.advance(1_000);
    assert.deepEqual([bench.out.length, bench.room.waiting, bench.room.taken], [0, 6, 9]);
    for (const { place } of guests) {
      place.leave();
      place.leave();
      place.letIn();
    }
    assert.deepEqual([bench.room.waiting, bench.room.taken, bench.clock.pending], [0, 0, 0]);
    bench.fill(6);
    await bench.clock.advance(1_000);
    assert.deepEqual(bench.out, []);
  });

  it('cuts thousands in several turns', async () => {
    const bench = new Bench({ maxConnections: 10_000 });
    bench.fill(1_006);
    await bench.clock.advance(1_000);
    assert.equal(bench.out.length, 94);
    await bench.clock.advance(5);
    assert.equal(bench.out.length, 194);
    await bench.clock.advance(45);
    assert.deepEqual([bench.out.length, bench.clock.pending], [1_000, 0]);
  });

  it('leaves no timer behind when the last one that does not count yet goes', () => {
    const bench = new Bench();
    const [first, second] = [bench.enter('a')!, bench.enter('b')!];
    assert.equal(bench.clock.pending, 1);
    first.place.letIn();
    assert.equal(bench.clock.pending, 1);
    second.place.leave();
    assert.equal(bench.clock.pending, 0);
  });
});

describe('a full server', () => {
  const FULL = { maxConnections: 4, pendingConnections: 100, pendingPerAddress: 100 };

  it('takes each newcomer for the oldest that has sent nothing, then the oldest, however young', () => {
    const bench = new Bench(FULL);
    bench.enter('a', undefined, true);
    bench.enter('b');
    bench.enter('c', undefined, true);
    bench.enter('d');
    for (let i = 0; i < 4; i++) assert.ok(bench.enter(`new${i}`, undefined, true));
    assert.deepEqual(bench.out, ['b', 'd', 'a', 'c']);
    assert.equal(bench.reasons[0], 'gave way before its login: the limit of 4 connections is reached');
    assert.equal(bench.room.taken, 4);
  });

  it('turns a newcomer away only when all are logged in', () => {
    const bench = new Bench(FULL);
    const guests = Array.from({ length: 4 }, (_, i) => bench.enter(`g${i}`, undefined, true)!);
    for (const { place } of guests.slice(1)) place.letIn();
    assert.ok(bench.enter('new'));
    assert.deepEqual(bench.out, ['g0']);
    bench.enter('newer')!.place.letIn();
    assert.deepEqual(bench.out, ['g0', 'new']);
    assert.equal(bench.enter('newest'), undefined);
    guests[1]!.place.leave();
    assert.ok(bench.enter('newest'));
  });

  it('follows a limit that was lowered', () => {
    const bench = new Bench(FULL);
    bench.fill(4);
    bench.limits = { ...bench.limits, maxConnections: 2 };
    assert.ok(bench.enter('new'));
    assert.equal(bench.room.taken, 2);
  });

  it('finds the one that gives way fast, also among 10,000 that all have sent something', () => {
    const bench = new Bench({ ...FULL, maxConnections: 10_000 });
    bench.fill(10_000, undefined, true);
    const { asked } = bench;
    bench.fill(10_000, undefined, true);
    assert.equal(bench.out.length, 10_000);
    assert.ok(
      bench.asked - asked <= 20_000,
      `${bench.asked - asked} were asked whether they have sent anything`,
    );
  });
});
