import { TopicFilter } from '../../topic/topic-filter';
import type { Value } from '../../types';
import type { RetainedMessage } from '../../store/retained-store';
import { userKey } from '../../util/device-key';
import type { RetainedMessages } from './retained-messages';

/** What is to be kept of a topic: a message, or none. */
interface Write {
  readonly user: string;
  readonly message: RetainedMessage;
  readonly removes: boolean;
}

/** The writes of one topic: at most one is under way, and one that is newer waits for it. */
interface TopicWrites {
  latest: Write;
  done: Promise<void>;
}

/** Most messages that one subscription is given when it begins. */
const MAX_LISTED = 1000;

/**
 * Puts retained messages into their store: those of one topic in order, one at a time, and only the latest of those
 * that came while one was under way. What is not in the store yet is seen by {@link list} all the same.
 */
export class RetainedWriter {
  readonly #store: RetainedMessages;
  readonly #topics = new Map<string, TopicWrites>();

  constructor(store: RetainedMessages) {
    this.#store = store;
  }

  /** Topics that are being written. */
  get pending(): number {
    return this.#topics.size;
  }

  /**
   * Keeps a message in place of the one before; `null` and what is empty is none. Resolves when it, or a newer one of
   * the topic, is in the store. Rejects as the store does.
   */
  write(user: string, message: RetainedMessage): Promise<void> {
    const key = userKey(user, message.topic);
    const write = { user, message, removes: isEmpty(message.payload) };
    const current = this.#topics.get(key);
    if (current !== undefined) {
      current.latest = write;
      return current.done;
    }
    const writes = { latest: write, done: Promise.resolve() };
    this.#topics.set(key, writes);
    writes.done = this.#writeAll(key, writes);
    return writes.done;
  }

  /** Forgets all messages of a user, those that are being written too. Rejects as the store does. */
  async clear(user: string): Promise<void> {
    const own = [...this.#topics.values()].filter(({ latest }) => latest.user === user);
    for (const writes of own) writes.latest = { ...writes.latest, removes: true };
    await this.#store.clear(user);
  }

  /** Resolves when all that was given to {@link write} so far is in the store, or could not be. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#topics.values()].map(({ done }) => done));
  }

  /** The retained messages that a filter matches, up to 1,000. Rejects as the store does. */
  async list(user: string, filter: string): Promise<RetainedMessage[]> {
    const wanted = new TopicFilter(filter);
    // As it is now: what is published later reaches the subscriber anyway.
    const unwritten = [...this.#topics.values()]
      .map(({ latest }) => latest)
      .filter((write) => write.user === user && wanted.matches(write.message.topic));
    const { messages } = await this.#store.list(user, { filter, limit: MAX_LISTED });
    const found = new Map(messages.map((message) => [message.topic, message]));
    for (const { message, removes } of unwritten) {
      if (removes) found.delete(message.topic);
      else found.set(message.topic, message);
    }
    return [...found.values()];
  }

  /** What fails has failed only if nothing newer came meanwhile. */
  async #writeAll(key: string, writes: TopicWrites): Promise<void> {
    for (;;) {
      const write = writes.latest;
      const failure = await this.#put(write);
      if (writes.latest !== write) continue;
      // In the same turn, so that no write comes between.
      this.#topics.delete(key);
      if (failure !== undefined) throw failure.error;
      return;
    }
  }

  async #put({ user, message, removes }: Write): Promise<{ readonly error: unknown } | undefined> {
    try {
      if (removes) await this.#store.remove(user, message.topic);
      else await this.#store.set(user, message.topic, message.payload);
      return undefined;
    } catch (error) {
      return { error };
    }
  }
}

function isEmpty(payload: Value): boolean {
  return payload === null || payload === '' || (payload instanceof Uint8Array && payload.length === 0);
}
