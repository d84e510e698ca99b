import { errorText } from '../../errors';
import { TopicFilter } from '../../topic/topic-filter';
import { topicLevels } from '../../topic/topic-name';
import type { Value } from '../../types';
import { checkCount, checkName, unusable } from '../checks';
import type { RetainedEntry } from '../core/tables';
import { MAX_PAGE } from '../page';
import type { RetainedMessage, RetainedPage, RetainedQuery, RetainedStore } from '../retained-store';
import { fromStored, toStored } from '../stored-value';
import type { FacadeContext } from './facade-context';

const DEFAULT_PAGE = 100;

/** Checks and encodes what goes to an engine, and decodes what comes back. */
export class Retained implements RetainedStore {
  readonly #context: FacadeContext;

  constructor(context: FacadeContext) {
    this.#context = context;
  }

  async get(user: string, topic: string): Promise<RetainedMessage | undefined> {
    const entry = await this.#context.engine.read('retainedGet', topicArgs(user, topic));
    return entry && toMessage(entry);
  }

  async set(user: string, topic: string, payload: Value): Promise<void> {
    const { engine, limits, now } = this.#context;
    const bytes = toStored(payload, limits.valueSize);
    await engine.write('retainedSet', { ...topicArgs(user, topic), payload: bytes, at: now() }, bytes.length);
  }

  async remove(user: string, topic: string): Promise<boolean> {
    return this.#context.engine.write('retainedRemove', topicArgs(user, topic), 0);
  }

  async list(user: string, query: RetainedQuery = {}): Promise<RetainedPage> {
    const { filter, cursor = '', limit = DEFAULT_PAGE } = query;
    if (filter !== undefined) check(() => new TopicFilter(filter));
    const { entries, next } = await this.#context.engine.longRead('retainedList', {
      user: checkName('a user', user),
      filter,
      after: cursor,
      limit: checkCount('limit', limit, 1, MAX_PAGE),
    });
    return { messages: entries.map(toMessage), ...(next !== undefined && { cursor: next }) };
  }

  async clear(user: string): Promise<number> {
    return this.#context.engine.write('retainedClear', { user: checkName('a user', user) }, 0);
  }
}

function topicArgs(user: string, topic: string): { user: string; topic: string } {
  check(() => topicLevels(topic));
  return { user: checkName('a user', user), topic };
}

/** What is no topic or filter is an argument of the store that is not usable. */
function check(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    throw unusable(errorText(error));
  }
}

function toMessage({ topic, payload, ts }: RetainedEntry): RetainedMessage {
  return { topic, payload: fromStored(payload), ts };
}
