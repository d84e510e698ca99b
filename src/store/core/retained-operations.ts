import { TopicFilter } from '../../topic/topic-filter';
import type { StoreLimits } from '../store-limits';
import { checkQuota } from './failures';
import type { LongReads, Steps, Writes } from './operations';
import type { RetainedEntry, RetainedTable } from './tables';

/** Entries that are looked at in one step. */
const STEP = 500;

/** What is done with retained messages. */
export class RetainedOperations {
  readonly #table: RetainedTable;
  readonly #limits: StoreLimits;

  constructor(table: RetainedTable, limits: StoreLimits) {
    this.#table = table;
    this.#limits = limits;
  }

  set({ user, topic, payload, at }: Writes['retainedSet']['args']): undefined {
    if (this.#table.get(user, topic) === undefined) {
      checkQuota('retained messages', this.#table.count(user), this.#limits.retainedPerUser);
    }
    this.#table.put(user, { topic, payload, ts: at });
  }

  *list(args: LongReads['retainedList']['args']): Steps<LongReads['retainedList']['result']> {
    const filter = args.filter === undefined ? undefined : new TopicFilter(args.filter);
    const entries: RetainedEntry[] = [];
    for (let last = args.after; ; yield) {
      const step = this.#table.after(args.user, last, filter?.parent ?? '', STEP);
      for (const entry of step) {
        if (filter?.matches(entry.topic) === false) continue;
        if (entries.length === args.limit) return { entries, next: entries.at(-1)?.topic };
        entries.push(entry);
      }
      const end = step.at(-1);
      if (end === undefined) return { entries, next: undefined };
      last = end.topic;
    }
  }
}
