import { errorText } from '../../../errors';
import { TopicFilter } from '../../../topic/topic-filter';
import { topicLevels } from '../../../topic/topic-name';
import type { Value } from '../../../types';
import { checkCount, checkName, checkQuota, unusable } from '../../checks';
import { MAX_PAGE } from '../../page';
import type { RetainedMessage, RetainedPage, RetainedQuery, RetainedStore } from '../../retained-store';
import { fromStored, toStored } from '../../stored-value';
import { bytesOf, numberOf, textOf, type Row, type Statements } from '../database/statements';
import type {
  LongOperationCaller,
  LongTable,
  Operation,
  Steps,
  StoreContext,
  TableParts,
} from './operations';

const DEFAULT_PAGE = 100;

/** A retained message as it is kept. */
interface RetainedRow extends Omit<RetainedMessage, 'payload'> {
  readonly payload: Uint8Array;
}

interface TopicArgs {
  readonly user: string;
  readonly topic: string;
}

interface RetainedSetArgs extends TopicArgs {
  readonly payload: Uint8Array;
  readonly at: number;
}

interface RetainedListArgs {
  readonly user: string;
  readonly filter: string | undefined;
  /** The topic after which the list begins; '' is the beginning. */
  readonly after: string;
  readonly limit: number;
}

interface FoundRows {
  readonly rows: RetainedRow[];
  /** The topic after which more follows, if there is more. */
  readonly next: string | undefined;
}

/** What is done with retained messages in the thread of the database. */
export interface RetainedOperations {
  readonly reads: { readonly retainedGet: Operation<TopicArgs, RetainedRow | undefined> };
  readonly longReads: { readonly retainedList: Operation<RetainedListArgs, FoundRows> };
  readonly writes: {
    readonly retainedSet: Operation<RetainedSetArgs, void>;
    readonly retainedRemove: Operation<TopicArgs, boolean>;
    readonly retainedClear: Operation<{ readonly user: string }, number>;
  };
}

/** Retained messages in SQLite: checks and encodes what goes to the thread of the database, and decodes what comes back. */
export class SqliteRetained implements RetainedStore {
  readonly #context: StoreContext<LongOperationCaller<RetainedOperations>>;

  constructor(context: StoreContext<LongOperationCaller<RetainedOperations>>) {
    this.#context = context;
  }

  async get(user: string, topic: string): Promise<RetainedMessage | undefined> {
    const found = await this.#context.database.read('retainedGet', topicArgs(user, topic));
    return found && this.#context.damaged.read(nameOf(user, topic), () => toMessage(found));
  }

  async set(user: string, topic: string, payload: Value): Promise<void> {
    const { database, limits, now } = this.#context;
    const bytes = toStored(payload, limits.valueSize);
    const args = { ...topicArgs(user, topic), payload: bytes, at: now() };
    await database.write('retainedSet', args, bytes.length);
  }

  async remove(user: string, topic: string): Promise<boolean> {
    return this.#context.database.write('retainedRemove', topicArgs(user, topic), 0);
  }

  async list(user: string, query: RetainedQuery = {}): Promise<RetainedPage> {
    const { filter, cursor = '', limit = DEFAULT_PAGE } = query;
    if (filter !== undefined) checkUsable(() => new TopicFilter(filter));
    const { database, damaged } = this.#context;
    const { rows, next } = await database.longRead('retainedList', {
      user: checkName('a user', user),
      filter,
      after: cursor,
      limit: checkCount('limit', limit, 1, MAX_PAGE),
    });
    const nameOfRow = ({ topic }: RetainedRow): string => nameOf(user, topic);
    const messages = damaged.readAll(rows, nameOfRow, toMessage);
    return { messages, ...(next !== undefined && { cursor: next }) };
  }

  async clear(user: string): Promise<number> {
    return this.#context.database.write('retainedClear', { user: checkName('a user', user) }, 0);
  }
}

function topicArgs(user: string, topic: string): TopicArgs {
  checkUsable(() => topicLevels(topic));
  return { user: checkName('a user', user), topic };
}

/** A text that is no topic or filter is an argument that the store cannot use. */
function checkUsable(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    throw unusable(errorText(error));
  }
}

function nameOf(user: string, topic: string): string {
  return `the retained message ${topic} of ${user}`;
}

function toMessage(row: RetainedRow): RetainedMessage {
  return { ...row, payload: fromStored(row.payload) };
}

/** Topics that are looked at in one step. */
const STEP = 500;
/** Size from which a page is full, in bytes of payloads. */
const PAGE_BYTES = 128 * 1024;
/** The character that follows the slash: what is below a topic comes before the topic with it. */
const AFTER_SLASH = '0';

const OF_USER = 'FROM retained WHERE user = ?';
const PUT = `
  INSERT INTO retained (user, topic, ts, payload) VALUES (?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET ts = excluded.ts, payload = excluded.payload`;
const AFTER = `SELECT topic ${OF_USER} AND topic > ? ORDER BY topic LIMIT ?`;
const AFTER_BELOW = `SELECT topic ${OF_USER} AND topic > ? AND topic >= ? AND topic < ? ORDER BY topic LIMIT ?`;

/** The table of retained messages in the thread of the database. */
export function retainedTable(table: TableParts): LongTable<RetainedOperations> {
  const { sql } = table;
  return {
    reads: { retainedGet: (args) => find(sql, args) },
    longReads: { retainedList: (args) => list(sql, args) },
    writes: {
      retainedSet: (args) => set(table, args),
      retainedRemove: ({ user, topic }) => remove(table, user, topic) > 0,
      retainedClear: ({ user }) => remove(table, user),
    },
  };
}

function find(sql: Statements, { user, topic }: TopicArgs): RetainedRow | undefined {
  const row = sql.get(`SELECT * ${OF_USER} AND topic = ?`, user, topic);
  return row && fromRow(row);
}

function set({ sql, limits, counts }: TableParts, { user, topic, payload, at }: RetainedSetArgs): void {
  const isNew = find(sql, { user, topic }) === undefined;
  if (isNew) checkQuota('retained messages', counts.of(OF_USER, user), limits.retainedPerUser);
  sql.run(PUT, user, topic, at, payload);
  if (isNew) counts.change(1, OF_USER, user);
}

/** Removes the message of a topic, or all of a user; answers how many. */
function remove({ sql, counts }: TableParts, user: string, topic?: string): number {
  const removed =
    topic === undefined
      ? sql.run(`DELETE ${OF_USER}`, user)
      : sql.run(`DELETE ${OF_USER} AND topic = ?`, user, topic);
  counts.change(-removed, OF_USER, user);
  return removed;
}

function* list(sql: Statements, { user, filter: text, after, limit }: RetainedListArgs): Steps<FoundRows> {
  const filter = text === undefined ? undefined : new TopicFilter(text);
  const rows: RetainedRow[] = [];
  let bytes = 0;
  for (let last = after; ; yield) {
    const topics = topicsAfter(sql, user, last, filter?.parent ?? '');
    for (const topic of topics) {
      if (filter?.matches(topic) === false) continue;
      if (rows.length === limit || bytes >= PAGE_BYTES) return { rows, next: rows.at(-1)?.topic };
      const row = find(sql, { user, topic });
      if (row === undefined) continue;
      rows.push(row);
      bytes += row.payload.length;
    }
    const end = topics.at(-1);
    if (end === undefined) return { rows, next: undefined };
    last = end;
  }
}

/** Topics after a topic, in order: the topic `parent`, those below it, and maybe others; all if it is empty. */
function topicsAfter(sql: Statements, user: string, topic: string, parent: string): string[] {
  const rows =
    parent === ''
      ? sql.all(AFTER, user, topic, STEP)
      : sql.all(AFTER_BELOW, user, topic, parent, parent + AFTER_SLASH, STEP);
  return rows.map((row) => textOf(row, 'topic'));
}

function fromRow(row: Row): RetainedRow {
  return { topic: textOf(row, 'topic'), payload: bytesOf(row, 'payload'), ts: numberOf(row, 'ts') };
}
