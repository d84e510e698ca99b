import type { Value } from '../../../types';
import type { PointKey, SelectionArgs } from '../../bucket-args';
import { valueAt } from '../../field-path';
import { fromStored } from '../../stored-value';
import type { Steps } from './operations';
import type { Point, PointTable } from './point-table';

/** Rows that are read in one step: few enough to be in memory even if all are as large as can be. */
const STEP = 1000;

/** A row whose value cannot be read. */
class DamagedPoint extends Error {
  constructor(cause: unknown) {
    super('the value cannot be read', { cause });
  }
}

function decoded({ value }: Point): Value {
  try {
    return fromStored(value);
  } catch (error) {
    throw new DamagedPoint(error);
  }
}

/** A row whose value is read only where it is needed. */
export class SelectedPoint {
  readonly point: Point;
  #value: Value | undefined;

  constructor(point: Point) {
    this.point = point;
  }

  /** @throws DamagedPoint if it cannot be read */
  get value(): Value {
    return (this.#value ??= decoded(this.point));
  }
}

/** The rows to be read, and where to begin. */
export interface PointSelection {
  readonly bucket: number;
  readonly selection: SelectionArgs;
  readonly ascending: boolean;
  readonly after?: PointKey | undefined;
  /** Number of rows that will be enough, if that is known. */
  readonly wanted?: number;
}

/**
 * Goes through the rows of a selection, step by step, and gives each to `visit` until that answers true. One device is
 * read by its index, several are picked out of all rows. Rows that cannot be read, though their value is needed, are left out.
 * @param onDamaged gets a row that is left out
 */
export function* selectPoints(
  points: PointTable,
  { bucket, selection, ascending, after, wanted = STEP }: PointSelection,
  visit: (selected: SelectedPoint) => boolean,
  onDamaged: (point: Point) => void,
): Steps<undefined> {
  const { minTs, maxTs, devices, tags } = selection;
  const series = devices?.length === 1 ? points.findSeries(bucket, devices[0] ?? '') : undefined;
  if (devices?.length === 1 && series === undefined) return;
  const accept = pointFilter(series === undefined ? devices : undefined, tags);
  let limit = Math.min(STEP, wanted);
  for (let last = after; ; limit = STEP) {
    const step = points.read({ bucket, minTs, maxTs, ascending, after: last, series, limit });
    for (const point of step) {
      const selected = new SelectedPoint(point);
      try {
        if (accept(selected) && visit(selected)) return;
      } catch (error) {
        if (!(error instanceof DamagedPoint)) throw error;
        onDamaged(point);
      }
    }
    last = step.at(-1);
    if (last === undefined) return;
    yield;
  }
}

function pointFilter(
  devices: readonly string[] | undefined,
  tags: SelectionArgs['tags'],
): (selected: SelectedPoint) => boolean {
  const wanted = devices && new Set(devices);
  const tests = tags.map(([path, values]) => [path, new Set(values)] as const);
  return (selected) =>
    (wanted === undefined || wanted.has(selected.point.device)) &&
    tests.every(([path, values]) => {
      const text = tagText(valueAt(selected.value, path));
      return text !== undefined && values.has(text);
    });
}

/** The value of a tag as the text by which it is asked for; undefined for what is no text, number or boolean. */
export function tagText(value: Value | undefined): string | undefined {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value);
    default:
      return undefined;
  }
}
