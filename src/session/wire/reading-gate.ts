import type { Clock, Timer } from '../../util/clock';

/** What a {@link ReadingGate} opens and closes. */
export interface ReadingPort {
  readonly clock: Clock;
  /** Bytes that were read so far. */
  readonly bytesRead: number;
  pause(): void;
  resume(): void;
  /** Whether a request of this end has waited for its answer for so long, in ms. */
  hasWaited(ms: number): boolean;
  /** The message at hand has caused as much work as so many others. */
  spend(messages: number): void;
  /** The peer counts as alive at this time, on the clock's scale. */
  handleLife(now: number): void;
}

/** Asks for a stop: it has more of the peer's messages than it can pass on. */
export interface ReadingHolder {
  /** Bytes that wait for its reader. */
  readonly bytes: number;
  /** Whether it gives way to a request that waits for its answer. */
  readonly yields: boolean;
}

/** A connection as a holder sees it: it can ask not to read it for a while. */
export interface Reading {
  /** Asks not to read the connection until {@link release}, within the limits of a hold. Idempotent. */
  hold(holder: ReadingHolder): void;
  /** Takes back a {@link hold}. Idempotent. */
  release(holder: ReadingHolder): void;
  /** The message at hand has caused as much work as so many others: the turn of the connection ends the sooner. */
  spend(messages: number): void;
}

/** Longest stop for the sake of a holder, in ms: the peer's answers and samples of other streams wait behind it. */
const MAX_STOP_MS = 2000;
/** Bytes that are read between two such stops, at least. */
const MIN_READ = 65_536;
/** The same when the last stop helped no reader: whoever takes nothing will have too much in a few stops. */
const MAX_READ = 4 * 1024 * 1024;
/** A request that has waited for this long, in ms, keeps the connection read until it is answered. */
const PATIENCE_MS = 1000;
/** How often a stop is looked at, in ms. */
const TICK_MS = 250;

/**
 * Decides whether a connection is read: the one place for everybody who wants it to be stopped. A connection that is not
 * read stops its peer as soon as the buffers of both systems are full.
 *
 * - A *stop* lasts until it is lifted: the login is not decided, or the peer does not take our answers.
 * - A *hold* is for a reader who is too slow. It is limited, as everything else that the peer sends has to wait, too.
 */
export class ReadingGate implements Reading {
  readonly #port: ReadingPort;
  readonly #stops = new Set<object>();
  readonly #holders = new Set<ReadingHolder>();
  #closed = false;
  #closedAt = 0;
  #timer: Timer | undefined;
  /** Holds do not count until so many bytes have been read. */
  #readUntil = 0;
  #allowance = MIN_READ;
  /** What waited when the last hold was over. */
  #waited = Infinity;

  constructor(port: ReadingPort) {
    this.#port = port;
  }

  /** Whether the connection is not read at the moment. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Reads nothing until {@link lift} with the same reason. Idempotent. */
  stop(reason: object): void {
    this.#stops.add(reason);
    this.#update();
  }

  /** Takes back a {@link stop}. Idempotent. */
  lift(reason: object): void {
    if (this.#stops.delete(reason)) this.#update();
  }

  hold(holder: ReadingHolder): void {
    if (this.#holders.has(holder)) return;
    this.#holders.add(holder);
    this.#update();
  }

  release(holder: ReadingHolder): void {
    if (!this.#holders.delete(holder)) return;
    if (this.#holders.size === 0) this.#forgive();
    this.#update();
  }

  spend(messages: number): void {
    this.#port.spend(messages);
  }

  /** To be called when bytes have been read. */
  handleRead(): void {
    if (this.#holders.size > 0) this.#update();
  }

  /** To be called when the session ends. */
  dispose(): void {
    this.#timer?.cancel();
    this.#stops.clear();
    this.#holders.clear();
  }

  get #isHeld(): boolean {
    if (this.#holders.size === 0 || this.#port.bytesRead < this.#readUntil) return false;
    return !this.#mustYield;
  }

  get #mustYield(): boolean {
    for (const { yields } of this.#holders) if (!yields) return false;
    return this.#port.hasWaited(PATIENCE_MS);
  }

  #update(): void {
    const closed = this.#stops.size > 0 || (this.#closed ? this.#holders.size > 0 : this.#isHeld);
    if (closed !== this.#closed) this.#turn(closed);
    if (this.#closed && this.#holders.size > 0) this.#timer ??= this.#watch();
  }

  #turn(closed: boolean): void {
    const { clock } = this.#port;
    this.#closed = closed;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (closed) {
      this.#closedAt = clock.now();
      this.#port.pause();
    } else {
      this.#port.handleLife(clock.now());
      this.#port.resume();
    }
  }

  #watch(): Timer {
    return this.#port.clock.after(TICK_MS, () => {
      this.#timer = undefined;
      const isOver = this.#port.clock.now() - this.#closedAt >= MAX_STOP_MS;
      if (this.#stops.size > 0 || !(isOver || this.#mustYield)) {
        this.#update();
        return;
      }
      if (isOver) this.#measure();
      this.#readUntil = this.#port.bytesRead + this.#allowance;
      this.#turn(false);
    });
  }

  /** A reader who took less than was read since the last hold gets twice as much, until it is too much for him. */
  #measure(): void {
    let waiting = 0;
    for (const { bytes } of this.#holders) waiting += bytes;
    this.#allowance = waiting < this.#waited ? MIN_READ : Math.min(2 * this.#allowance, MAX_READ);
    this.#waited = waiting;
  }

  #forgive(): void {
    this.#readUntil = 0;
    this.#allowance = MIN_READ;
    this.#waited = Infinity;
  }
}
