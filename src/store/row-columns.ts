import type { Value } from '../types';

/**
 * One flat map of columns of our own, such as the time of a row and its device, and the members of the row. A member of the
 * name of a column gets `_` in front, as often as it takes: it neither hides who wrote the row, or when, nor is it lost.
 */
export function besideColumns(
  columns: Readonly<Record<string, Value>>,
  members: Readonly<Record<string, Value>>,
): Record<string, Value> {
  if (!Object.keys(columns).some((name) => Object.hasOwn(members, name))) return { ...columns, ...members };
  const isFree = (name: string): boolean => !Object.hasOwn(columns, name) && !Object.hasOwn(members, name);
  const named = Object.entries(members).map(([name, value]): [string, Value] =>
    Object.hasOwn(columns, name) ? [freeName(name, isFree), value] : [name, value],
  );
  return Object.fromEntries([...Object.entries(columns), ...named]);
}

/** The column with the device of a row; none for a row of no device. */
export function deviceColumn(device: string | undefined): { readonly device?: string } {
  return device === undefined ? {} : { device };
}

function freeName(name: string, isFree: (name: string) => boolean): string {
  const next = `_${name}`;
  return isFree(next) ? next : freeName(next, isFree);
}
