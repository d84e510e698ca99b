import type { Handling } from './topic-message';

/** A message on its way to another party. */
export interface OutwardMessage {
  readonly topic: string;
  readonly payload: Buffer;
  readonly handling: Handling;
}

/** Maximum number of waiting messages, and of their bytes altogether. */
const MAX_MESSAGES = 500;
const MAX_BYTES = 16 * 2 ** 20;

/**
 * Messages for a party that is away. Retained messages wait, the last one of each topic, and messages with a `qos` of 1
 * or 2. Other messages are dropped. If too many wait, the oldest is dropped.
 */
export class OutageQueue {
  /** The waiting messages in the order of sending. Retained messages have their topic as key. */
  readonly #messages = new Map<string | symbol, OutwardMessage>();
  #bytes = 0;
  #lost = 0;

  /** Number of messages that were dropped since the queue was emptied. */
  get lost(): number {
    return this.#lost;
  }

  /** Queues a message, or drops it. */
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

  /** Removes and returns the waiting messages, in their order. */
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
