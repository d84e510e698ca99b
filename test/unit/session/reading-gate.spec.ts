import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { ReadingGate, type ReadingHolder } from '../../../src/session/wire/reading-gate';
import { FakeClock } from '../support/fake-clock';

const KIB = 1024;

/** A gate before a connection that always has bytes to read. */
class Connection {
  readonly clock = new FakeClock();
  readonly gate: ReadingGate;
  bytesRead = 0;
  isRead = true;
  /** A request of this end waits for its answer since then. */
  askedAt = Infinity;
  lives = 0;

  constructor() {
    const isRead = (value: boolean) => () => void (this.isRead = value);
    const bytesRead = (): number => this.bytesRead;
    this.gate = new ReadingGate({
      clock: this.clock,
      get bytesRead() {
        return bytesRead();
      },
      pause: isRead(false),
      resume: isRead(true),
      spend: () => undefined,
      hasWaited: (ms) => this.askedAt <= this.clock.now() - ms,
      handleLife: () => this.lives++,
    });
  }

  read(bytes: number): void {
    assert.equal(this.isRead, true, 'the connection is not read');
    this.bytesRead += bytes;
    this.gate.handleRead();
  }

  /** Reads as much as the gate lets. */
  readOn(step = KIB): number {
    const before = this.bytesRead;
    while (this.isRead && this.bytesRead - before < 1 << 24) this.read(step);
    return this.bytesRead - before;
  }
}

function holder(bytes = 0, yields = true): ReadingHolder & { bytes: number } {
  return { bytes, yields };
}

describe('The gate of a connection', () => {
  it('stays closed until each stop is lifted, however long that takes', async () => {
    const { clock, gate } = new Connection();
    const [one, two] = [{}, {}];
    gate.stop(one);
    gate.stop(two);
    gate.stop(two);
    gate.lift(one);
    await clock.advance(60_000);
    assert.equal(gate.closed, true);
    gate.lift(two);
    gate.lift(two);
    assert.equal(gate.closed, false);
    assert.equal(clock.pending, 0);
  });

  it('is closed by a hold, and opened by its release', async () => {
    const connection = new Connection();
    const { clock, gate } = connection;
    const [one, two] = [holder(), holder()];
    gate.hold(one);
    gate.hold(two);
    gate.release(one);
    assert.equal(connection.isRead, false);
    gate.release(two);
    assert.equal(connection.isRead, true);
    assert.equal(connection.lives, 1);
    assert.equal(clock.pending, 0);
    await clock.settle();
  });

  it('is closed by a hold for 2 s at most, and then reads 64 KiB at least', async () => {
    const connection = new Connection();
    const { clock, gate } = connection;
    const slow = holder(1_000_000);
    gate.hold(slow);
    for (let round = 0; round < 10; round++) {
      assert.equal(connection.isRead, false);
      await clock.advance(1999);
      assert.equal(connection.isRead, false);
      await clock.advance(251);
      assert.equal(connection.isRead, true);
      // The reader takes a little more than comes.
      slow.bytes -= 10;
      assert.equal(connection.readOn(), 64 * KIB);
    }
    gate.dispose();
    assert.equal(clock.pending, 0);
  });

  it('reads more and more when the stops help no reader', async () => {
    const connection = new Connection();
    const { clock, gate } = connection;
    const slow = holder(1_000_000);
    gate.hold(slow);
    const reads: number[] = [];
    for (let round = 0; round < 9; round++) {
      await clock.advance(2250);
      reads.push(connection.readOn());
    }
    assert.deepEqual(
      reads.map((bytes) => bytes / KIB),
      [64, 128, 256, 512, 1024, 2048, 4096, 4096, 4096],
    );
    gate.release(slow);
    gate.hold(slow);
    await clock.advance(2250);
    assert.equal(connection.readOn(), 64 * KIB);
    gate.dispose();
  });

  it('is opened for a request that has waited for 1 s, until it is answered', async () => {
    const connection = new Connection();
    const { clock, gate } = connection;
    gate.hold(holder());
    connection.askedAt = clock.now();
    await clock.advance(999);
    assert.equal(connection.isRead, false);
    await clock.advance(251);
    assert.equal(connection.isRead, true);
    connection.read(10_000_000);
    assert.equal(connection.isRead, true);
    connection.askedAt = Infinity;
    connection.read(1);
    assert.equal(connection.isRead, false);
    gate.dispose();
  });

  it('is not opened by it where a holder does not yield, nor before a stop is lifted', async () => {
    const connection = new Connection();
    const { clock, gate } = connection;
    connection.askedAt = clock.now();
    const firm = holder(0, false);
    gate.hold(firm);
    gate.hold(holder());
    await clock.advance(1500);
    assert.equal(connection.isRead, false);
    gate.release(firm);
    const reason = {};
    gate.stop(reason);
    await clock.advance(10_000);
    assert.equal(connection.isRead, false);
    gate.lift(reason);
    await clock.advance(250);
    assert.equal(connection.isRead, true);
    gate.dispose();
    assert.equal(clock.pending, 0);
  });
});
