import { decodeValue } from '../../../src/codec/reading/pson-decoder';
import { encodeValue } from '../../../src/codec/writing/pson-encoder';
import { IotmpError } from '../../../src/errors';
import type { RetainedMessages } from '../../../src/services/topics/retained-messages';
import type { RetainedMessage } from '../../../src/store/retained-store';
import { TopicFilter } from '../../../src/topic/topic-filter';
import type { Value } from '../../../src/types';

/** Topics of one user that can have a retained message. */
const MAX_TOPICS = 10_000;

/** A message as it is kept: encoded, so that nothing else of what came with it is held, too. */
interface Kept {
  readonly bytes: Buffer;
  readonly ts: number;
}

/** Retained messages that are at hand without a turn of the event loop. */
export class MemoryRetainedMessages implements RetainedMessages {
  readonly #users = new Map<string, Map<string, Kept>>();
  /** The topics of each user in their order, until one more is there. */
  readonly #sorted = new Map<string, readonly string[]>();

  set(user: string, topic: string, payload: Value): Promise<void> {
    const messages = this.#users.get(user) ?? new Map<string, Kept>();
    if (!messages.has(topic) && messages.size >= MAX_TOPICS) {
      return Promise.reject(new IotmpError('IOTMP_ERR_BUSY', 'too many topics have a retained message'));
    }
    if (!messages.has(topic)) this.#sorted.delete(user);
    this.#users.set(user, messages.set(topic, { bytes: encodeValue(payload), ts: Date.now() }));
    return Promise.resolve();
  }

  remove(user: string, topic: string): Promise<boolean> {
    const messages = this.#users.get(user);
    const found = messages?.delete(topic) === true;
    if (messages?.size === 0) this.#users.delete(user);
    return Promise.resolve(found);
  }

  clear(user: string): Promise<void> {
    this.#users.delete(user);
    return Promise.resolve();
  }

  list(
    user: string,
    {
      filter,
      limit,
      cursor = '',
    }: { readonly filter: string; readonly limit: number; readonly cursor?: string },
  ): Promise<{ readonly messages: readonly RetainedMessage[]; readonly cursor?: string }> {
    const wanted = new TopicFilter(filter);
    const kept = this.#users.get(user) ?? new Map<string, Kept>();
    const sorted = this.#sorted.get(user) ?? [...kept.keys()].sort();
    this.#sorted.set(user, sorted);
    const messages: RetainedMessage[] = [];
    let next: string | undefined;
    for (const topic of sorted) {
      const one = kept.get(topic);
      if (one === undefined || topic <= cursor || !wanted.matches(topic)) continue;
      if (messages.length === limit) {
        next = messages.at(-1)?.topic;
        break;
      }
      messages.push({ topic, payload: decodeValue(one.bytes), ts: one.ts });
    }
    return Promise.resolve({ messages, ...(next !== undefined && { cursor: next }) });
  }
}
