import type { TopicMessage } from './topic-message';

/** A listener for messages of topics. */
export type TopicListener = (message: TopicMessage) => void;

/** The part of the topics that a receiver uses. */
export interface TopicReceiverPort {
  /** Called with an exception of the listener. */
  fail(error: unknown): void;
  leave(receiver: TopicReceiver): void;
}

/** Maximum number of messages that wait for the retained messages. If more come, the oldest is dropped. */
const MAX_HELD = 1024;

/**
 * A subscription to a filter. The retained messages come first, then the messages that were published since, in their
 * order. A retained message is left out if its topic has a newer message to keep.
 */
export interface TopicSubscription {
  readonly user: string;
  /** The levels of the filter. */
  readonly levels: readonly string[];
  readonly closed: boolean;
  /** Ends the subscription: the listener is not called any more. Idempotent. */
  close(): void;
}

/** A subscription as the topics see it: it takes the messages of its filter. */
export class TopicReceiver implements TopicSubscription {
  readonly user: string;
  readonly levels: readonly string[];
  readonly #listener: TopicListener;
  readonly #port: TopicReceiverPort;
  /** Messages that were published while the retained messages were being read. Undefined after that. */
  #held: TopicMessage[] | undefined = [];
  /** Topics with a newer message to keep. */
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

  /** Delivers a published message, after the retained messages. */
  deliver(message: TopicMessage, isKept: boolean): void {
    if (this.#held === undefined) {
      this.#pass(message);
      return;
    }
    if (isKept) this.#renewed.add(message.topic);
    if (this.#held.length >= MAX_HELD) this.#held.shift();
    this.#held.push(message);
  }

  /** Delivers the retained messages that were read. Empty if they could not be read. */
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
