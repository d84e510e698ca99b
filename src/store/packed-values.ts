import type { StoredValue } from './stored-value';

/** Many stored values in one piece: it goes to another thread in a fraction of the time that many pieces take. */
export interface PackedValues {
  readonly bytes: StoredValue;
  /** Where each value ends. */
  readonly ends: readonly number[];
}

/** Puts values together. */
export function packValues(values: readonly Uint8Array[]): PackedValues {
  const ends: number[] = [];
  let end = 0;
  for (const value of values) ends.push((end += value.length));
  const bytes = new Uint8Array(end);
  for (const [index, value] of values.entries()) bytes.set(value, (ends[index] ?? 0) - value.length);
  return { bytes, ends };
}

/** The values again, as views of the one piece. */
export function unpackValues({ bytes, ends }: PackedValues): Uint8Array[] {
  let start = 0;
  return ends.map((end) => bytes.subarray(start, (start = end)));
}
