import { types } from 'node:util';
import { TopicFilter } from '../../topic/topic-filter';
import type { Value } from '../../types';
import type { RetainedMessage } from '../../store/retained-store';
import { userKey } from '../../util/device-key';
import { detached } from '../../util/guard';
import type { RetainedMessages } from './retained-messages';

/** The message to keep for a topic, or none. */
interface Write {
  readonly user: string;
  readonly message: RetainedMessage;
  readonly removes: boolean;
}

/** The outcome of a write, which all messages share that the write covers. */
type WriteOutcome = PromiseWithResolvers<void>;

/** The writes of one topic: at most one is running, and one newer write waits for it. */
interface TopicWrites {
  latest: Write;
  running: WriteOutcome;
  /** The write of `latest` after the one that is running. */
  next: WriteOutcome | undefined;
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
   * Keeps a message in place of the topic's earlier message. A `null` or empty payload removes the message. Resolves with
   * the write that has this message or, in its place, a newer message of the topic. Rejects if the store does.
   */
  write(user: string, message: RetainedMessage): Promise<void> {
    const key = userKey(user, message.topic);
    const write = { user, message, removes: isEmpty(message.payload) };
    const current = this.#topics.get(key);
    if (current !== undefined) return supersede(current, write);
    const writes: TopicWrites = { latest: write, running: Promise.withResolvers(), next: undefined };
    this.#topics.set(key, writes);
    const { promise } = writes.running;
    const onFault = (error: unknown): void => writes.running.reject(error);
    detached('retained message written', onFault, this.#writeAll(key, writes));
    return promise;
  }

  /** Removes all messages of a user, also the messages that are being written. Rejects if the store does. */
  async clear(user: string): Promise<void> {
    const own = [...this.#topics.values()].filter(({ latest }) => latest.user === user);
    const removals = own.map((writes) => supersede(writes, { ...writes.latest, removes: true }));
    await Promise.all([this.#store.clear(user), ...removals]);
  }

  /** Resolves when all messages so far are in the store, or could not be written. */
  async settled(): Promise<void> {
    const last = [...this.#topics.values()].map(({ running, next }) => next ?? running);
    await Promise.allSettled(last.map(({ promise }) => promise));
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

  /** A failed write rejects only if no newer write of the topic came meanwhile. Else the newer write decides. */
  async #writeAll(key: string, writes: TopicWrites): Promise<void> {
    for (;;) {
      const { latest, running } = writes;
      const failure = await this.#put(latest);
      const { next } = writes;
      // In the same turn, so that no other write comes between.
      if (next === undefined) this.#topics.delete(key);
      if (failure === undefined) running.resolve();
      else if (next === undefined) running.reject(failure.error);
      else running.resolve(next.promise);
      if (next === undefined) return;
      writes.running = next;
      writes.next = undefined;
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

/** Replaces the message of the next write. All messages that come during one write share the next one. */
function supersede(writes: TopicWrites, write: Write): Promise<void> {
  writes.latest = write;
  writes.next ??= Promise.withResolvers();
  return writes.next.promise;
}

function isEmpty(payload: Value): boolean {
  return payload === null || payload === '' || (types.isUint8Array(payload) && payload.length === 0);
}
