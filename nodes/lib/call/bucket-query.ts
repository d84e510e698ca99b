import { types } from 'node:util';
import {
  IotmpError,
  parseAggregationFunction,
  parseSpan,
  snapshot,
  type BucketAggregation,
  type BucketRange,
  type NewRow,
  type RowSelection,
  type Value,
} from '../../../src';

/** A map as a flow gives it. */
type Fields = Readonly<Record<string, unknown>>;

const SELECTION = ['minTs', 'maxTs', 'devices', 'tags', 'sort', 'limit', 'cursor', 'fields'];
const RANGE = [...SELECTION, 'offset'];
const AGGREGATION = [...SELECTION, 'span', 'function', 'timeZone', 'groupBy'];

/**
 * The rows that a payload means: a map is one row of values, a list is rows of the form `{ts, device, value}`.
 * @param device whose rows they are, where they do not say so themselves; may be blank
 * @throws IotmpError IOTMP_ERR_NO_INPUT for none, IOTMP_ERR_CONFIG for what are no rows, IOTMP_ERR_ENCODE
 */
export function rowsOf(payload: unknown, device: string): NewRow[] {
  if (payload === undefined || payload === null)
    throw new IotmpError('IOTMP_ERR_NO_INPUT', 'a bucket cannot be written without values');
  const owner = device === '' ? {} : { device };
  if (!Array.isArray(payload)) return [{ ...owner, value: valuesOf(payload) }];
  const rows: readonly unknown[] = payload;
  return rows.map((row) => {
    const { ts, device: own, value } = fieldsOf('a row', row, ['ts', 'device', 'value']);
    const time = timeOf('ts', ts);
    const from = textOf('device', own);
    return {
      ...(time !== undefined && { ts: time }),
      ...(from === undefined ? owner : { device: from }),
      value: valuesOf(value),
    };
  });
}

/** A range of rows, as the parameters of a call say: `{"minTs": ..., "limit": 10}`. Throws IOTMP_ERR_CONFIG. */
export function rangeOf(parameters: unknown, device: string): BucketRange {
  const fields = fieldsOf('the query', parameters, RANGE);
  const offset = numberOf('offset', fields.offset);
  return { ...selectionOf(fields, device), ...(offset !== undefined && { offset }) };
}

/** Spans of rows: `{"span": "1h", "function": "mean"}`, which is also what is meant where they are left out. */
export function aggregationOf(parameters: unknown, device: string): BucketAggregation {
  const fields = fieldsOf('the query', parameters, AGGREGATION);
  const timeZone = textOf('timeZone', fields.timeZone);
  const groupBy = textOf('groupBy', fields.groupBy);
  if (groupBy !== undefined && groupBy !== 'device') throw unusable('groupBy has to be device');
  return {
    ...selectionOf(fields, device),
    span: parseSpan(textOf('span', fields.span) ?? '1h'),
    function: parseAggregationFunction(textOf('function', fields.function) ?? 'mean'),
    ...(timeZone !== undefined && { timeZone }),
    ...(groupBy !== undefined && { groupBy }),
  };
}

type Selection = RowSelection & Pick<BucketRange, 'sort' | 'limit' | 'cursor' | 'fields'>;

/** What both kinds of queries have. */
function selectionOf(query: Fields, device: string): Selection {
  const minTs = timeOf('minTs', query.minTs);
  const maxTs = timeOf('maxTs', query.maxTs);
  const devices = textsOf('devices', query.devices) ?? (device === '' ? undefined : [device]);
  const tags = query.tags === undefined ? undefined : tagsOf(query.tags);
  const sort = textOf('sort', query.sort);
  if (sort !== undefined && sort !== 'asc' && sort !== 'desc') throw unusable('sort has to be asc or desc');
  const limit = numberOf('limit', query.limit);
  const cursor = textOf('cursor', query.cursor);
  const fields = textsOf('fields', query.fields);
  return {
    ...(minTs !== undefined && { minTs }),
    ...(maxTs !== undefined && { maxTs }),
    ...(devices !== undefined && { devices }),
    ...(tags !== undefined && { tags }),
    ...(sort !== undefined && { sort }),
    ...(limit !== undefined && { limit }),
    ...(cursor !== undefined && { cursor }),
    ...(fields !== undefined && { fields }),
  };
}

function valuesOf(value: unknown): Readonly<Record<string, Value>> {
  const kept = snapshot(value);
  if (typeof kept === 'object' && kept !== null && !Array.isArray(kept) && !types.isUint8Array(kept)) {
    return kept;
  }
  throw unusable('a row has to be a map of values');
}

/** A map that has no other members than these; nothing is an empty one. */
export function fieldsOf(what: string, value: unknown, known: readonly string[]): Fields {
  if (value === undefined || value === null || value === '') return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw unusable(`${what} has to be an object`);
  const stranger = Object.keys(value).find((name) => !known.includes(name));
  if (stranger !== undefined) throw unusable(`${what} has no ${stranger.slice(0, 40)}: ${known.join(', ')}`);
  return { ...value };
}

/** A time in ms since 1970; a Date or a text such as `2026-01-31T12:00:00Z` is one, too. */
function timeOf(name: string, value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  const time = types.isDate(value) || typeof value === 'string' ? new Date(value).getTime() : value;
  if (typeof time === 'number' && !Number.isNaN(time)) return time;
  throw unusable(`${name} has to be a time`);
}

function textOf(name: string, value: unknown): string | undefined {
  if (value === undefined || value === null || typeof value === 'string') return value ?? undefined;
  throw unusable(`${name} has to be a text`);
}

/** A number, whose range others check. */
export function numberOf(name: string, value: unknown): number | undefined {
  if (value === undefined || value === null || typeof value === 'number') return value ?? undefined;
  throw unusable(`${name} has to be a number`);
}

function textsOf(name: string, value: unknown): string[] | undefined {
  if (value === undefined || value === null) return undefined;
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.map((item) => textOf(name, item) ?? '');
}

function tagsOf(value: unknown): Record<string, string[]> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw unusable('tags has to be an object');
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, wanted]) => [name, textsOf(name, wanted) ?? []]),
  );
}

function unusable(text: string): IotmpError {
  return new IotmpError('IOTMP_ERR_CONFIG', text);
}
