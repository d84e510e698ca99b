import type { Value } from '../types';

/** The part of a list that is wanted. */
export interface Page {
  /** Number of entries to pass over; 0 unless given. */
  readonly offset?: number;
  /** Maximum number of entries, 1 to 1,000; 100 unless given. */
  readonly limit?: number;
  /** Only entries whose id or name contains this text; upper and lower case are the same. */
  readonly name?: string;
}

/** A {@link Page} with all of its parts. */
export interface FullPage {
  readonly offset: number;
  readonly limit: number;
  /** Lower case; empty for all. */
  readonly search: string;
}

/** Longest list that is answered at once. */
export const MAX_PAGE = 1000;

const MAX_SEARCHED = 512;

/** The text in which the name of a page is looked for: the id and the member `name`, in lower case. */
export function searchText(id: string, { name }: Readonly<Record<string, Value>>): string {
  const text = typeof name === 'string' ? `${id}\n${name.slice(0, MAX_SEARCHED)}` : id;
  return text.toLowerCase().toWellFormed();
}
