import { IotmpError } from '../../errors';
import { isMap, type Value } from '../../types';
import type { BucketRow } from '../bucket-row';
import { KeyTree } from '../key-tree';

/** One number and the one before it of the same member and device. */
interface Step {
  readonly value: number;
  readonly ts: number;
  readonly before:
    { readonly value: number; readonly ts: number; readonly result: number | undefined } | undefined;
}

/** The steps taken last, by the member's keys. */
type LastSteps = KeyTree<NonNullable<Step['before']>>;

/** Seconds since the number before. */
const seconds = (step: Step): number | undefined => step.before && (step.ts - step.before.ts) / 1000;
const difference = (step: Step): number | undefined => step.before && step.value - step.before.value;
const derivative = (step: Step): number | undefined => {
  const change = difference(step);
  const time = seconds(step);
  return change === undefined || time === undefined || time === 0 ? undefined : change / time;
};
const notNegative = (value: number | undefined): number | undefined =>
  value !== undefined && value < 0 ? undefined : value;

/** What becomes of each number; where it is undefined, the member is left out. */
const TRANSFORMS = {
  abs: ({ value }) => Math.abs(value),
  ceil: ({ value }) => Math.ceil(value),
  floor: ({ value }) => Math.floor(value),
  round: ({ value }) => Math.round(value),
  derivative,
  difference,
  non_negative_derivative: (step) => notNegative(derivative(step)),
  non_negative_difference: (step) => notNegative(difference(step)),
  cumulative_sum: ({ value, before }) => (before?.result ?? 0) + value,
  elapsed: seconds,
} as const satisfies Record<string, (step: Step) => number | undefined>;

/**
 * What is made of the numbers of rows: of each one alone (`abs`, `ceil`, `floor`, `round`), or of each and the one before
 * it of the same member and device. `derivative` is per second, `elapsed` the seconds since the number before.
 */
export type Transform = keyof typeof TRANSFORMS;

/** The transform that a program means by a text; `IOTMP_ERR_CONFIG` if there is none of that name. */
export function parseTransform(text: string): Transform {
  if (isTransform(text)) return text;
  const names = Object.keys(TRANSFORMS).join(', ');
  throw new IotmpError('IOTMP_ERR_CONFIG', `no transform "${text}": it has to be one of ${names}`);
}

/**
 * Transforms rows of a range or an aggregation, in either order of time: what comes before is always the earlier. Members
 * that are no finite numbers are left out, and so are rows of which nothing is left.
 */
export function transformRows(rows: readonly BucketRow[], transform: Transform): BucketRow[] {
  const series = new Map<string, LastSteps>();
  const descending = (rows.at(0)?.ts ?? 0) > (rows.at(-1)?.ts ?? 0);
  const result: BucketRow[] = [];
  for (const row of descending ? rows.toReversed() : rows) {
    const device = row.device ?? '';
    const last: LastSteps = series.get(device) ?? new KeyTree();
    series.set(device, last);
    const value = transformMap(row.value, { transform, ts: row.ts, last });
    if (value !== undefined) result.push({ ...row, value });
  }
  return descending ? result.reverse() : result;
}

/** What a member is transformed with: the time of its row, and what was at its place before. */
interface TransformPlace {
  readonly transform: Transform;
  readonly ts: number;
  readonly last: LastSteps;
}

/** The members of a map of which something is left, named as they were. */
function transformMap(
  map: Readonly<Record<string, Value>>,
  place: TransformPlace,
): Record<string, Value> | undefined {
  const members: [string, Value][] = [];
  for (const [key, member] of Object.entries(map)) {
    const result = transformMember(member, { ...place, last: place.last.at(key) });
    if (result !== undefined) members.push([key, result]);
  }
  return members.length === 0 ? undefined : Object.fromEntries(members);
}

function transformMember(member: Value, place: TransformPlace): Value | undefined {
  if (isMap(member)) return transformMap(member, place);
  const value = typeof member === 'bigint' ? Number(member) : member;
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined;
  const { transform, ts, last } = place;
  const result = TRANSFORMS[transform]({ value, ts, before: last.leaf });
  last.leaf = { value, ts, result };
  return result;
}

function isTransform(text: string): text is Transform {
  return Object.hasOwn(TRANSFORMS, text);
}
