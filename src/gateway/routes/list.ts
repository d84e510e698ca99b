import type { Value } from '../../types';
import type { ListQuery } from './schemas';

/** A row of a list, as clients see it. */
export type Row = Record<string, Value>;

const EXACT = ['type', 'product', 'asset_type', 'asset_group'] as const;

/**
 * The rows that a list was asked for, in the order of ids unless another is wanted. Pages go by `index` and `count`:
 * a page with fewer rows than `count` is the last.
 * @param asset the field that holds the id
 */
export function selectRows(rows: readonly Row[], asset: string, query: ListQuery): Row[] {
  const { count = 0, index = 0, sort = '', order = 'asc' } = query;
  const field = sort === '' ? asset : sort;
  const sign = order === 'desc' ? -1 : 1;
  const found = rows.filter((row) => isWanted(row, asset, query));
  found.sort((a, b) => sign * compare(a[field], b[field]));
  return found.slice(index, count === 0 ? undefined : index + count);
}

function isWanted(row: Row, asset: string, query: ListQuery): boolean {
  const { name = '', project = '' } = query;
  if (name !== '' && ![row[asset], row.name].some((text) => contains(text, name))) return false;
  if (project !== '' && !belongsTo(row.project, project)) return false;
  return EXACT.every((field) => (query[field] ?? '') === '' || row[field] === query[field]);
}

function contains(text: Value | undefined, part: string): boolean {
  return typeof text === 'string' && text.toLowerCase().includes(part.toLowerCase());
}

/** Projects are named `user@project`, by those who ask mostly without the user. */
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
