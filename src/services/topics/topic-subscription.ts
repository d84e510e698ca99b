import type { TopicMessage } from './topic-message';

/** Who wants the messages of some topics. */
export type TopicListener = (message: TopicMessage) => void;

/** What a receiver needs of the topics. */
export interface TopicReceiverPort {
  /** What the listener threw. */
  fail(error: unknown): void;
  leave(receiver: TopicReceiver): void;
}

/** Messages that wait for the retained ones; the oldest gives way. */
const MAX_HELD = 1024;

/**
 * A subscription to a filter. The retained messages come first, then, in their order, the messages that were published
 * since; of a topic that has a newer one to keep, the retained message is left out.
 */
export interface TopicSubscription {
  readonly user: string;
  /** The levels of the filter. */
  readonly levels: readonly string[];
  readonly closed: boolean;
  /** Ends the subscription; the listener is not called any more. Idempotent. */
  close(): void;
}

/** A subscription as the topics see it: it takes the messages of its filter. */
export class TopicReceiver implements TopicSubscription {
  readonly user: string;
  readonly levels: readonly string[];
  readonly #listener: TopicListener;
  readonly #port: TopicReceiverPort;
  /** While the retained messages are on their way: what was published since. */
  #held: TopicMessage[] | undefined = [];
  /** Topics of which a newer message is to be kept. */
  readonly #renewed = new Set<string>();
  #closed = false;

  constructor(
    port: TopicReceiverPort,
    init: {
      readonly user: string;
      readonly levels: readonly string[];
      readonly listener: TopicListener;
    },
  ) {
    this.user = init.user;
    this.levels = init.levels;
    this.#listener = init.listener;
    this.#port = port;
  }

  get closed(): boolean {
    return this.#closed;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#held = undefined;
    this.#port.leave(this);
  }

  /** A message was published. It waits while the retained messages are on their way. */
  deliver(message: TopicMessage, isKept: boolean): void {
    if (this.#held === undefined) {
      this.#pass(message);
      return;
    }
    if (isKept) this.#renewed.add(message.topic);
    if (this.#held.length >= MAX_HELD) this.#held.shift();
    this.#held.push(message);
  }

  /** The retained messages are here, or will not come. */
  begin(retained: readonly TopicMessage[]): void {
    const held = this.#held ?? [];
    const kept = retained.filter(({ topic }) => !this.#renewed.has(topic));
    this.#held = undefined;
    this.#renewed.clear();
    for (const message of [...kept, ...held]) this.#pass(message);
  }

  #pass(message: TopicMessage): void {
    if (this.#closed) return;
    try {
      this.#listener(message);
    } catch (error) {
      this.#port.fail(error);
    }
  }
}
