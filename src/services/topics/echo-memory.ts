import { createHash } from 'node:crypto';
import { BoundedMap } from '../../util/bounded-map';
import type { Clock } from '../../util/clock';

/** Longest time until an echo, in ms. */
const ECHO_MS = 10_000;
/** Maximum number of messages that are remembered. The oldest is forgotten first. */
const MAX_MESSAGES = 4096;

/** Recognises the echoes of a party that sends everything back. */
export class EchoMemory {
  readonly #clock: Clock;
  /** In the order of their times. */
  readonly #sent = new BoundedMap<string, { count: number; readonly until: number }>(MAX_MESSAGES);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Number of messages that may come back. */
  get size(): number {
    return this.#sent.size;
  }

  /** Notes a message that was sent. */
  note(topic: string, payload: Uint8Array): void {
    const key = messageKey(topic, payload);
    const count = (this.#sent.get(key)?.count ?? 0) + 1;
    this.#forgetExpired();
    this.#sent.set(key, { count, until: this.#clock.now() + ECHO_MS });
  }

  /** Whether a message that came is an echo. Each message that was sent has one echo. */
  recognise(topic: string, payload: Uint8Array): boolean {
    const key = messageKey(topic, payload);
    const sent = this.#sent.get(key);
    if (sent === undefined) return false;
    if (--sent.count === 0) this.#sent.delete(key);
    return sent.until >= this.#clock.now();
  }

  #forgetExpired(): void {
    const now = this.#clock.now();
    for (const [key, { until }] of this.#sent) {
      if (until >= now) return;
      this.#sent.delete(key);
    }
  }
}

function messageKey(topic: string, payload: Uint8Array): string {
  return `${topic} ${createHash('sha1').update(payload).digest('base64')}`;
}
