/** What is to be changed of a record: members that are left out, or `undefined`, stay as they are. */
export type Change<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** The record with the change made. */
export function changed<T extends object>(record: T, change: Change<T>): T {
  const given = Object.entries(change).filter(([, value]) => value !== undefined);
  return { ...record, ...Object.fromEntries(given) };
}
