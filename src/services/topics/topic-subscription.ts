import { errorText, IotmpError } from '../../errors';
import type { ByteBudget } from '../../util/byte-budget';
import { BoundedQueue, type QueueLimits } from '../../util/bounded-queue';
import { messageSize, type Handling, type TopicMessage } from './topic-message';

/**
 * A listener for messages of topics. After it returned `false`, no retained message comes until
 * {@link TopicSubscription.resume}, and messages that are published meanwhile wait behind the retained ones.
 */
export type TopicListener = (message: TopicMessage) => unknown;

/** Options of a subscription. */
export interface SubscribeOptions {
  /** Whether the retained messages come first. True by default. */
  readonly retained?: boolean;
  /**
   * Decides what happens if too many messages are published while the retained ones are being taken. With 0, the oldest
   * is lost past 1 MiB. With 1 or 2, the subscription ends past 4 MiB. 0 by default.
   */
  readonly qos?: Handling['qos'];
  /**
   * Names the subscriber among those that share the server, as a device. The retained messages of its subscriptions come one
   * subscription after the other, and what waits behind them is bounded for all of them.
   */
  readonly owner?: string | undefined;
  /** Called when the subscription has ended because too many bytes waited. */
  readonly onOverflow?: (reason: IotmpError) => void;
}

/** The part of the topics that a receiver uses. */
export interface TopicReceiverPort {
  /** Called with an exception of the listener. */
  fail(error: unknown): void;
  /** Counts messages that gave way while the retained ones were being taken. */
  lost(count: number): void;
  leave(receiver: TopicReceiver): void;
  /** Bytes that the messages of an owner may take while they wait, and those that they take. */
  readonly waiting: ByteBudget;
}

/** Properties of a new receiver. */
export interface TopicReceiverInit {
  readonly user: string;
  readonly levels: readonly string[];
  readonly owner: string | undefined;
  readonly listener: TopicListener;
  /** Limits of the queue of messages that wait for the retained ones. */
  readonly limits: QueueLimits;
  /** Called when the subscription has ended because the queue was full. */
  readonly onOverflow?: ((reason: IotmpError) => void) | undefined;
}

/** Maximum number of renewed topics that are remembered. Past it, a retained message may come beside its newer one. */
const MAX_RENEWED = 10_000;

/**
 * A subscription to a filter. The retained messages come first, then the messages that were published since, in their
 * order. A retained message is left out if its topic has a newer message to keep.
 */
export interface TopicSubscription {
  readonly user: string;
  /** The levels of the filter. */
  readonly levels: readonly string[];
  readonly closed: boolean;
  /** Lets the retained messages go on after the listener returned false. */
  resume(): void;
  /** Ends the subscription: the listener is not called any more. Idempotent. */
  close(): void;
}

/** A subscription as the topics see it: it takes the messages of its filter. */
export class TopicReceiver implements TopicSubscription {
  readonly user: string;
  readonly levels: readonly string[];
  readonly #init: TopicReceiverInit;
  readonly #port: TopicReceiverPort;
  /** Messages that were published while the retained messages were being taken. Undefined after that. */
  #held: BoundedQueue<TopicMessage> | undefined;
  /** Topics with a newer message to keep. */
  readonly #renewed = new Set<string>();
  /** Bytes that are counted for the owner. */
  #counted = 0;
  #onReady: (() => void) | undefined;
  #closed = false;

  constructor(port: TopicReceiverPort, init: TopicReceiverInit) {
    this.user = init.user;
    this.levels = init.levels;
    this.#init = init;
    this.#port = port;
    this.#held = new BoundedQueue(init.limits);
  }

  get closed(): boolean {
    return this.#closed;
  }

  get owner(): string | undefined {
    return this.#init.owner;
  }

  resume(): void {
    this.#onReady?.();
    this.#onReady = undefined;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#held = undefined;
    this.#count(0);
    this.#port.leave(this);
    this.resume();
  }

  /** Delivers a published message, after the retained messages. */
  deliver(message: TopicMessage, isKept: boolean): void {
    if (this.#held === undefined) {
      this.#pass(message);
      return;
    }
    if (isKept && this.#renewed.size < MAX_RENEWED) this.#renewed.add(message.topic);
    this.#hold(message, this.#held);
  }

  /** Delivers a retained message. Returns a promise to wait for before the next one if the listener wants no more. */
  deliverKept(message: TopicMessage): Promise<void> | undefined {
    if (this.#closed || this.#renewed.has(message.topic)) return undefined;
    return this.#pass(message) ? undefined : this.#whenReady();
  }

  /** Begins without retained messages. */
  beginAtOnce(): void {
    this.#held = undefined;
  }

  /**
   * Delivers the messages that waited for the retained ones. Returns a promise to wait for before the next call if the
   * listener wants no more.
   */
  begin(): Promise<void> | undefined {
    for (let message = this.#held?.shift(); message !== undefined; message = this.#held?.shift()) {
      if (!this.#pass(message)) {
        this.#count(this.#held?.bytes ?? 0);
        return this.#whenReady();
      }
    }
    this.#held = undefined;
    this.#count(0);
    this.#renewed.clear();
    return undefined;
  }

  #whenReady(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onReady = resolve;
    });
  }

  #hold(message: TopicMessage, held: BoundedQueue<TopicMessage>): void {
    const { dropped } = held;
    try {
      const room = this.owner === undefined ? Infinity : this.#port.waiting.room(this.owner) + held.bytes;
      held.push(message, messageSize(message), room);
    } catch (error) {
      this.close();
      const reason = error instanceof IotmpError ? error : new IotmpError('IOTMP_ERR_BUSY', errorText(error));
      this.#init.onOverflow?.(reason);
      return;
    }
    this.#count(held.bytes);
    if (held.dropped > dropped) this.#port.lost(held.dropped - dropped);
  }

  #count(bytes: number): void {
    if (this.owner === undefined || bytes === this.#counted) return;
    this.#port.waiting.change(this.owner, bytes - this.#counted);
    this.#counted = bytes;
  }

  /** Whether the listener takes more. */
  #pass(message: TopicMessage): boolean {
    if (this.#closed) return true;
    try {
      return this.#init.listener(message) !== false;
    } catch (error) {
      this.#port.fail(error);
      return true;
    }
  }
}
