import { performance } from 'node:perf_hooks';
import { guarded, warnProcess, type DeviceId, type Reading } from '../../../src';

/** Finds the connection that a message came from, to be asked only when there is too much. */
export interface ReadingFinder {
  reading(source: DeviceId | undefined): Reading | undefined;
}

/**
 * Time that the flows may need for what they are given at once, in ms: nothing else happens meanwhile. (A flood: the event loop is
 * held up for 22 ms, 26 at the longest; with 20 here it is 38 and 52, and as many messages get through.)
 */
const TARGET_MS = 12;
/** Messages that are given at once before anything has been measured. */
const FIRST_LIMIT = 256;
const MAX_LIMIT = 8192;
/**
 * Messages that are given at once, and that a connection may give in its turn, at least: to stop one and to go on costs some
 * time, too.
 */
const MIN_SHARE = 16;
/** Parts of a new measurement in the limit: what else takes the time of the process makes flows seem slow now and then. */
const WEIGHT_UP = 1 / 4;
const WEIGHT_DOWN = 1 / 8;

/**
 * What devices have put into flows and was not worked off yet. Node-RED hands a message to the next node in a later step of
 * the event loop: whoever reads on meanwhile makes a queue, which stops everything else. When there is too much, the
 * connections that it comes from are not read until it is worked off; then they have their turns. How much is too much is
 * measured, as it depends on the flows.
 */
export class FlowLoad {
  /** As a holder of connections: nothing waits here, and what comes through them is all the same to flows. */
  readonly bytes = 0;
  readonly yields = false;
  readonly #held = new Set<Reading>();
  #count = 0;
  #limit = FIRST_LIMIT;
  /** The count at which connections are stopped: the limit, or less while one of many has its turn. */
  #stopAt = FIRST_LIMIT;
  #startedAt = 0;

  /** Number of connections that are not read at the moment. */
  get held(): number {
    return this.#held.size;
  }

  /** A message of this source has been handed to a flow. */
  note(finder: ReadingFinder, source: DeviceId | undefined): void {
    if (this.#count++ === 0) this.#begin();
    if (this.#count < this.#stopAt) return;
    const reading = finder.reading(source);
    if (reading === undefined) return;
    this.#held.add(reading);
    reading.hold(this);
  }

  #begin(): void {
    this.#startedAt = performance.now();
    setImmediate(this.#onHandedOver);
  }

  /** From here on the flows work off what they were given: at the end of this step, the first nodes are done. */
  readonly #onHandedOver = guarded('flows begin', warnProcess, () => {
    if (this.#held.size > 0) setImmediate(this.#onWorkedOff);
    else this.#count = 0;
  });

  readonly #onWorkedOff = guarded('flows go on', warnProcess, () => {
    this.#measure();
    this.#count = 0;
    const waiting = [...this.#held];
    const share = Math.max(MIN_SHARE, Math.floor(this.#limit / waiting.length));
    for (const reading of waiting) {
      if (this.#count >= this.#limit) break;
      this.#stopAt = Math.min(this.#limit, this.#count + share);
      this.#held.delete(reading);
      reading.release(this);
    }
    this.#stopAt = this.#limit;
  });

  #measure(): void {
    const each = Math.max((performance.now() - this.#startedAt) / this.#count, TARGET_MS / MAX_LIMIT);
    const change = TARGET_MS / each - this.#limit;
    const limit = this.#limit + (change > 0 ? WEIGHT_UP : WEIGHT_DOWN) * change;
    this.#limit = Math.max(MIN_SHARE, Math.round(limit));
  }
}

/** The one of this process: all flows share its event loop. */
export const flowLoad = new FlowLoad();
