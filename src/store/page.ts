/** Which part of a list is wanted. */
export interface Page {
  /** How many to pass over; 0 unless given. */
  readonly offset?: number;
  /** How many at most, 1 to 1,000; 100 unless given. */
  readonly limit?: number;
  /** Only those whose id or name contains this text, in whatever case. */
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
