import { IotmpError } from '../../errors';
import type { Value } from '../../types';
import { Pattern } from '../events/pattern';
import type { ListQuery } from './schemas';

/** A row in the answer to a list. */
export type ListRow = Record<string, Value>;

/** Characters that make a name a regular expression. */
const SPECIAL = /[\\^$.*+?()[\]{}|]/;
/** Longest program of a name, as it is matched with every row. */
const MAX_STEPS = 100;
const EXACT = ['type', 'product', 'asset_type', 'asset_group'] as const;

/**
 * The rows of a list query, by default in the order of ids. Pages go by `index` and `count`: a page with fewer rows than
 * `count` is the last.
 * @param asset the field that holds the id
 */
export function selectRows(rows: readonly ListRow[], asset: string, query: ListQuery): ListRow[] {
  const { count = 0, index = 0, sort = '', order = 'asc' } = query;
  const field = sort === '' ? asset : sort;
  const sign = order === 'desc' ? -1 : 1;
  const isNamed = nameTest(query.name ?? '');
  const ids = (query.id ?? '') === '' ? undefined : new Set<Value | undefined>(query.id?.split(','));
  const found = rows.filter(
    (row) => ids?.has(row[asset]) !== false && [row[asset], row.name].some(isNamed) && isWanted(row, query),
  );
  found.sort((a, b) => sign * compare(a[field], b[field]));
  return found.slice(index, count === 0 ? undefined : index + count);
}

function isWanted(row: ListRow, query: ListQuery): boolean {
  const { project = '' } = query;
  if (project !== '' && !belongsTo(row.project, project)) return false;
  return EXACT.every((field) => (query[field] ?? '') === '' || row[field] === query[field]);
}

/** Matches a name as it is written, in small or capital letters, or as a regular expression. */
function nameTest(name: string): (text: Value | undefined) => boolean {
  if (name === '') return () => true;
  const part = name.toLowerCase();
  const pattern = SPECIAL.test(name) ? patternOf(`.*(${name}).*`) : undefined;
  return (text) =>
    typeof text === 'string' && (text.toLowerCase().includes(part) || pattern?.matches(text) === true);
}

function patternOf(source: string): Pattern | undefined {
  try {
    return new Pattern(source, MAX_STEPS);
  } catch (error) {
    if (error instanceof IotmpError) return undefined;
    throw error;
  }
}

/** Projects are named `user@project`. Queries mostly leave out the user. */
function belongsTo(projects: Value | undefined, project: string): boolean {
  if (!Array.isArray(projects)) return false;
  return projects.some((one) => one === project || (typeof one === 'string' && one.endsWith(`@${project}`)));
}

function compare(a: Value | undefined, b: Value | undefined): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [left, right] = [textOf(a), textOf(b)];
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function textOf(value: Value | undefined): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : '';
}
