import { decodeValue } from '../../codec/pson-decoder';
import { encodeValue } from '../../codec/pson-encoder';
import { IotmpError } from '../../errors';
import type { Value } from '../../types';
import { filterLevels, topicLevels } from './topic-name';
import { TopicTree } from './topic-tree';

/** The last message of a topic that was published to be kept. */
export interface RetainedMessage {
  readonly topic: string;
  readonly payload: Value;
  /** When it was published, in ms since 1970. */
  readonly ts: number;
}

/** Where retained messages are kept, by user and topic. */
export interface RetainedMessages {
  /** Keeps a message in place of the one before. Rejects when there is no room for another topic. */
  set(user: string, topic: string, payload: Value): Promise<void>;
  /** Forgets the message of a topic, if there is one. */
  remove(user: string, topic: string): Promise<boolean>;
  /** The messages whose topics match a filter, up to `limit`, which is 1,000 at most. */
  list(
    user: string,
    query: { readonly filter: string; readonly limit: number },
  ): Promise<{ readonly messages: readonly RetainedMessage[] }>;
}

/** Topics of one user that can have a retained message. */
const MAX_TOPICS = 10_000;

/** A message as it is kept: encoded, so that nothing else of what came with it is held, too. */
interface Kept {
  readonly bytes: Buffer;
  readonly ts: number;
}

/** Retained messages that are lost with the process. */
export class MemoryRetainedMessages implements RetainedMessages {
  readonly #users = new Map<string, Map<string, Kept>>();

  set(user: string, topic: string, payload: Value): Promise<void> {
    const messages = this.#users.get(user) ?? new Map<string, Kept>();
    if (!messages.has(topic) && messages.size >= MAX_TOPICS) {
      return Promise.reject(new IotmpError('IOTMP_ERR_BUSY', 'too many topics have a retained message'));
    }
    this.#users.set(user, messages.set(topic, { bytes: encodeValue(payload), ts: Date.now() }));
    return Promise.resolve();
  }

  remove(user: string, topic: string): Promise<boolean> {
    const messages = this.#users.get(user);
    const found = messages?.delete(topic) === true;
    if (messages?.size === 0) this.#users.delete(user);
    return Promise.resolve(found);
  }

  list(
    user: string,
    { filter, limit }: { readonly filter: string; readonly limit: number },
  ): Promise<{ readonly messages: readonly RetainedMessage[] }> {
    const tree = new TopicTree<true>();
    tree.add(filterLevels(filter), true);
    const messages: RetainedMessage[] = [];
    for (const [topic, { bytes, ts }] of this.#users.get(user) ?? []) {
      if (messages.length >= limit) break;
      if (tree.match(topicLevels(topic)).length === 0) continue;
      messages.push({ topic, payload: decodeValue(bytes), ts });
    }
    return Promise.resolve({ messages });
  }
}
