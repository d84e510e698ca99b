import { createHash } from 'node:crypto';
import type { Clock } from '../../util/clock';

/** How long an echo may take, in ms. */
const ECHO_MS = 10_000;
/** Messages that are remembered; the oldest are forgotten first. */
const MAX_MESSAGES = 4096;

/** Remembers what was sent to a party that sends everything back, so that what comes back is known. */
export class EchoMemory {
  readonly #clock: Clock;
  /** In the order of their times. */
  readonly #sent = new Map<string, { count: number; readonly until: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Messages that may come back. */
  get size(): number {
    return this.#sent.size;
  }

  /** A message was sent. */
  note(topic: string, payload: Uint8Array): void {
    const key = messageKey(topic, payload);
    const count = (this.#sent.get(key)?.count ?? 0) + 1;
    this.#sent.delete(key);
    this.#forgetOld();
    this.#sent.set(key, { count, until: this.#clock.now() + ECHO_MS });
  }

  /** Whether a message that came is one that was sent; each one that was sent counts once. */
  recognise(topic: string, payload: Uint8Array): boolean {
    const key = messageKey(topic, payload);
    const sent = this.#sent.get(key);
    if (sent === undefined) return false;
    if (--sent.count === 0) this.#sent.delete(key);
    return sent.until >= this.#clock.now();
  }

  #forgetOld(): void {
    const now = this.#clock.now();
    for (const [key, { until }] of this.#sent) {
      if (until >= now && this.#sent.size < MAX_MESSAGES) return;
      this.#sent.delete(key);
    }
  }
}

function messageKey(topic: string, payload: Uint8Array): string {
  return `${topic} ${createHash('sha1').update(payload).digest('base64')}`;
}
