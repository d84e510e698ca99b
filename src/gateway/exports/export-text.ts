import type { BucketRow } from '../../store/bucket-row';
import { besideColumns, deviceColumn } from '../../store/row-columns';
import { isMap, type Value } from '../../types';
import { IotmpError } from '../../errors';
import { toJson } from '../http/json-text';
import type { ExportOrder, TimestampFormat } from './bucket-exports';

/** Pages of rows, oldest first. To be read more than once. */
export type ReadRows = () => AsyncIterable<readonly BucketRow[]>;

/** A column of a table: the path of a member, and whether all of its values are numbers. */
interface Column {
  readonly path: string;
  isNumeric: boolean;
}

const MAX_COLUMNS = 1000;
/** A number as people and devices write it. */
const NUMBER = /^[+-]?\d+([.,]\d+)?([eE][+-]?\d+)?$/;
const MEDIA_TYPES = { csv: 'text/csv', arff: 'text/plain', json: 'application/json' } as const;

/** The media type of an export. */
export function exportMediaType({ type }: ExportOrder): string {
  return `${MEDIA_TYPES[type]}; charset=utf-8`;
}

/** The text of an export (`platform-api.md` section 5), in pieces. The rows of a table are read twice. */
export function exportText(order: ExportOrder, read: ReadRows): AsyncGenerator<string, undefined> {
  switch (order.type) {
    case 'json':
      return jsonText(order, read);
    case 'csv':
      return csvText(order, read);
    case 'arff':
      return arffText(order, read);
  }
}

async function* jsonText({ timestamps }: ExportOrder, read: ReadRows): AsyncGenerator<string, undefined> {
  let before = '[';
  for await (const rows of read()) {
    for (const { ts, device, value } of rows) {
      yield before + toJson(besideColumns({ ...deviceColumn(device), ts: timeOf(ts, timestamps) }, value));
      before = ',\n';
    }
  }
  yield before === '[' ? '[]' : ']';
}

async function* csvText({ timestamps }: ExportOrder, read: ReadRows): AsyncGenerator<string, undefined> {
  const columns = await columnsOf(read);
  yield csvLine(['ts', ...columns.map(({ path }) => path)]);
  for await (const rows of read()) {
    for (const row of rows) {
      const members = membersOf(row);
      yield csvLine([timeOf(row.ts, timestamps), ...columns.map(({ path }) => members.get(path))]);
    }
  }
}

async function* arffText(order: ExportOrder, read: ReadRows): AsyncGenerator<string, undefined> {
  const { bucket, timestamps } = order;
  const columns = await columnsOf(read);
  const tsType = timestamps === 'iso' ? `DATE "yyyy-MM-dd'T'HH:mm:ss.SSSX"` : 'NUMERIC';
  yield `@RELATION ${quoted(bucket)}\n\n@ATTRIBUTE ts ${tsType}\n`;
  for (const { path, isNumeric } of columns) {
    yield `@ATTRIBUTE ${quoted(path)} ${isNumeric ? 'NUMERIC' : 'STRING'}\n`;
  }
  yield '\n@DATA\n';
  for await (const rows of read()) {
    for (const row of rows) {
      const members = membersOf(row);
      const cells = columns.map(({ path, isNumeric }) => arffCell(members.get(path), isNumeric));
      const time = timeOf(row.ts, timestamps);
      yield `${[typeof time === 'string' ? quoted(time) : time, ...cells].join(',')}\n`;
    }
  }
}

/** All members that rows have, in the order in which they are first seen. */
async function columnsOf(read: ReadRows): Promise<Column[]> {
  const columns = new Map<string, Column>();
  for await (const rows of read()) {
    for (const [path, value] of rows.flatMap((row) => [...membersOf(row)])) {
      const column = columns.get(path) ?? { path, isNumeric: true };
      columns.set(path, column);
      if (columns.size > MAX_COLUMNS) throw tooManyColumns();
      column.isNumeric &&= value === null || isNumeric(value);
    }
  }
  return [...columns.values()];
}

/** The members of a row by path, without its time; the parts of a list are one text. */
function membersOf({ ts, device, value }: BucketRow): Map<string, Value> {
  const members = new Map<string, Value>();
  const add = (prefix: string, map: Readonly<Record<string, Value>>): void => {
    for (const [key, member] of Object.entries(map)) {
      if (isMap(member)) add(`${prefix}${key}.`, member);
      else members.set(freeName(members, prefix + key), member);
    }
  };
  add('', besideColumns({ ...deviceColumn(device), ts }, value));
  members.delete('ts');
  return members;
}

/** `a.b` may be a key of a row and a path in it: neither takes the place of the other. */
function freeName(members: ReadonlyMap<string, Value>, name: string): string {
  return members.has(name) ? freeName(members, `_${name}`) : name;
}

function timeOf(ts: number, format: TimestampFormat): string | number {
  if (format === 'iso') return new Date(ts).toISOString();
  return format === 'seconds' ? ts / 1000 : ts;
}

function csvLine(cells: readonly (Value | undefined)[]): string {
  return `${cells.map(csvCell).join(';')}\n`;
}

function csvCell(value: Value | undefined): string {
  const text = cellText(value);
  if (isNumeric(value)) return text;
  // A text that a spreadsheet would take for a formula is kept from being one. A number is none.
  const safe = /^[=+\-@\t\r]/.test(text) && !NUMBER.test(text) ? `'${text}` : text;
  return text === '' ? '' : `"${safe.replaceAll('"', '""')}"`;
}

function arffCell(value: Value | undefined, isNumeric: boolean): string {
  if (isMissing(value)) return '?';
  return isNumeric ? cellText(value) : quoted(cellText(value));
}

function cellText(value: Value | undefined): string {
  if (isMissing(value)) return '';
  return typeof value === 'string' ? value : toJson(value);
}

/** JSON would say null of NaN and the infinities. */
function isMissing(value: Value | undefined): boolean {
  return (value ?? null) === null || (typeof value === 'number' && !Number.isFinite(value));
}

/** Also NaN: a sensor that cannot be read makes no column of texts. */
function isNumeric(value: Value | undefined): boolean {
  return typeof value === 'bigint' || typeof value === 'number';
}

function quoted(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n');
  return `'${escaped.replaceAll('\r', '\\r')}'`;
}

function tooManyColumns(): IotmpError {
  return new IotmpError('IOTMP_ERR_TOO_LARGE', `a table has at most ${MAX_COLUMNS} columns`);
}
