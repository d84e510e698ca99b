import type { Handling } from './topic-message';

/** A message on its way to another party. */
export interface OutwardMessage {
  readonly topic: string;
  readonly payload: Buffer;
  readonly handling: Handling;
}

/** Messages that wait, and their bytes altogether. */
const MAX_MESSAGES = 500;
const MAX_BYTES = 16 * 2 ** 20;

/**
 * Messages for a party that is away. Those wait that are to be kept, of a topic the last one, and those with a `qos` of 1
 * or 2; where they are too many, the oldest is let go.
 */
export class OutageQueue {
  /** In the order in which they are to be sent; those that are to be kept by their topic. */
  readonly #messages = new Map<string | symbol, OutwardMessage>();
  #bytes = 0;
  #lost = 0;

  /** Messages that were let go since the queue was emptied. */
  get lost(): number {
    return this.#lost;
  }

  /** Has a message wait, if it is one that does. */
  add(message: OutwardMessage): void {
    const { retain, qos } = message.handling;
    if (!retain && qos === 0) {
      this.#lost++;
      return;
    }
    const key = retain ? message.topic : Symbol(message.topic);
    this.#take(key);
    this.#messages.set(key, message);
    this.#bytes += message.payload.length;
    for (const oldest of this.#messages.keys()) {
      if (this.#messages.size <= MAX_MESSAGES && this.#bytes <= MAX_BYTES) return;
      this.#take(oldest);
      this.#lost++;
    }
  }

  /** Takes all that wait, in their order. */
  empty(): OutwardMessage[] {
    const messages = [...this.#messages.values()];
    this.#messages.clear();
    this.#bytes = 0;
    this.#lost = 0;
    return messages;
  }

  #take(key: string | symbol): void {
    this.#bytes -= this.#messages.get(key)?.payload.length ?? 0;
    this.#messages.delete(key);
  }
}
