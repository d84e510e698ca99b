import type { Clock, Timer } from '../../util/clock';

/** How long the other party is silent before its retained messages are known, in ms. */
const SILENCE_MS = 2000;

/**
 * Finds out which retained messages the other party of a bridge has lost, as an MQTT broker that keeps nothing does when it
 * restarts. The other party sends its retained messages after each connection. What it has not sent, it does not have.
 */
export class RetainedRestore {
  readonly #clock: Clock;
  readonly #restore: (has: (topic: string) => boolean) => void;
  /** Topics of the other party since it has connected; `undefined` while nothing is to be restored. */
  #topics: Set<string> | undefined;
  #timer: Timer | undefined;

  /** @param restore sends the retained messages again that the other party does not have; it must not throw */
  constructor(clock: Clock, restore: (has: (topic: string) => boolean) => void) {
    this.#clock = clock;
    this.#restore = restore;
  }

  /** The other party has connected. */
  begin(): void {
    this.#topics = new Set();
    this.#wait();
  }

  /** The other party has a retained message, or a newer message, of a topic. */
  note(topic: string): void {
    if (this.#topics === undefined) return;
    this.#topics.add(topic);
    this.#wait();
  }

  /** Restores nothing any more. Idempotent. */
  close(): void {
    this.#timer?.cancel();
    this.#topics = undefined;
  }

  #wait(): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.after(SILENCE_MS, () => {
      const topics = this.#topics;
      this.#topics = undefined;
      if (topics !== undefined) this.#restore((topic) => topics.has(topic));
    });
  }
}
