import { types } from 'node:util';
import { TopicFilter } from '../../topic/topic-filter';
import type { Value } from '../../types';
import type { RetainedMessage } from '../../store/retained-store';
import { userKey } from '../../util/device-key';
import type { RetainedMessages } from './retained-messages';

/** The message to keep for a topic, or none. */
interface Write {
  readonly user: string;
  readonly message: RetainedMessage;
  readonly removes: boolean;
}

/** The writes of one topic: at most one is running, and one newer write waits for it. */
interface TopicWrites {
  latest: Write;
  done: Promise<void>;
}

/** Messages in one page, at most. The store ends a page of large ones earlier. */
const PAGE = 50;

/**
 * Writes retained messages to their store, the messages of one topic in order and one at a time. Of the messages that
 * come during a write, only the last is written. {@link pages} also has the messages that are not in the store yet.
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
   * Keeps a message in place of the topic's earlier message. A `null` or empty payload removes the message. Resolves when
   * this message, or a newer message of the topic, is in the store. Rejects if the store does.
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

  /** Removes all messages of a user, also the messages that are being written. Rejects if the store does. */
  async clear(user: string): Promise<void> {
    const own = [...this.#topics.values()].filter(({ latest }) => latest.user === user);
    for (const writes of own) writes.latest = { ...writes.latest, removes: true };
    await this.#store.clear(user);
  }

  /** Resolves when all messages so far are in the store, or could not be written. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#topics.values()].map(({ done }) => done));
  }

  /**
   * The retained messages that a filter matches, page by page. Each page is read when it is asked for. A message that is
   * written after the beginning may be missing. Rejects if the store does.
   * @param turn reads a page when its turn comes
   */
  async *pages(
    user: string,
    filter: string,
    turn: <Page>(readPage: () => Promise<Page>) => Promise<Page> = (readPage) => readPage(),
  ): AsyncGenerator<readonly RetainedMessage[], void, void> {
    const unwritten = this.#unwritten(user, filter);
    for (let cursor: string | undefined = ''; cursor !== undefined;) {
      const after: string = cursor;
      const page = await turn(() => this.#readPage(user, filter, after));
      yield page.messages.filter(({ topic }) => !unwritten.has(topic));
      ({ cursor } = page);
    }
    const latest = [...unwritten.values()];
    yield latest.filter(({ removes }) => !removes).map(({ message }) => message);
  }

  #readPage(user: string, filter: string, cursor: string): ReturnType<RetainedMessages['list']> {
    const query = { filter, limit: PAGE, ...(cursor !== '' && { cursor }) };
    return this.#store.list(user, query);
  }

  /** The writes, by topic, that a filter matches and that are not in the store yet. */
  #unwritten(user: string, filter: string): ReadonlyMap<string, Write> {
    const wanted = new TopicFilter(filter);
    const unwritten = new Map<string, Write>();
    for (const { latest } of this.#topics.values()) {
      const { topic } = latest.message;
      if (latest.user === user && wanted.matches(topic)) unwritten.set(topic, latest);
    }
    return unwritten;
  }

  /** A failed write rejects only if no newer write of the topic came meanwhile. */
  async #writeAll(key: string, writes: TopicWrites): Promise<void> {
    for (;;) {
      const write = writes.latest;
      const failure = await this.#put(write);
      if (writes.latest !== write) continue;
      // In the same turn, so that no other write comes between.
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
  return payload === null || payload === '' || (types.isUint8Array(payload) && payload.length === 0);
}
