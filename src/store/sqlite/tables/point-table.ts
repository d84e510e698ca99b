import type { PointKey } from '../../bucket-args';
import { bytesOf, numberOf, textOf, type Row, type Statements } from '../database/statements';

/** A row as it is kept. */
export interface Point extends PointKey {
  /** Empty for none. */
  readonly device: string;
  /** A map. */
  readonly value: Uint8Array;
}

/** Some rows of a bucket. */
export interface PointRange {
  readonly bucket: number;
  /** Earliest and latest time, included. */
  readonly minTs: number;
  readonly maxTs: number;
  readonly ascending: boolean;
  /** Only rows after this one, in the order asked for. */
  readonly after?: PointKey | undefined;
  /** Only rows of this device. */
  readonly series?: number | undefined;
  /** Maximum number of rows. */
  readonly limit: number;
}

/** Maximum number of devices whose numbers are remembered. */
const MAX_KNOWN = 100_000;
const MAX_SERIES = Number.MAX_SAFE_INTEGER;

const HAS_POINT = 'SELECT 1 FROM point WHERE bucket = ? AND ts = ? AND series = ?';
const READ_BUCKET = `
  SELECT ts, series, value FROM point
  WHERE bucket = ? AND (ts, series) > (?, ?) AND ts <= ? ORDER BY ts, series LIMIT ?`;
const READ_BUCKET_BACKWARDS = `
  SELECT ts, series, value FROM point
  WHERE bucket = ? AND (ts, series) < (?, ?) AND ts >= ? ORDER BY ts DESC, series DESC LIMIT ?`;
const READ_SERIES = `
  SELECT ts, series, value FROM point
  WHERE series = ? AND ts >= ? AND ts <= ? ORDER BY ts LIMIT ?`;
const READ_SERIES_BACKWARDS = `
  SELECT ts, series, value FROM point
  WHERE series = ? AND ts >= ? AND ts <= ? ORDER BY ts DESC LIMIT ?`;

/**
 * The rows of buckets, each bucket named by its id. The table has the order in which rows are read; an index finds the
 * rows of one device.
 */
export class PointTable {
  readonly #sql: Statements;
  /** Numbers of devices by {@link seriesKey}, and the devices by their numbers. */
  readonly #series = new Map<string, number>();
  readonly #devices = new Map<number, string>();

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  /** Forgets what is remembered of the table. Has to be called when writes have been undone. */
  forget(): void {
    this.#series.clear();
    this.#devices.clear();
  }

  /** Whether there is a row of this time and device. */
  has(bucket: number, ts: number, device: string): boolean {
    const series = this.findSeries(bucket, device);
    return series !== undefined && this.#sql.get(HAS_POINT, bucket, ts, series) !== undefined;
  }

  /** Writes a row; answers whether there was none of its time and device. */
  put(bucket: number, ts: number, device: string, value: Uint8Array): boolean {
    const series = this.findSeries(bucket, device) ?? this.#addSeries(bucket, device);
    const added = this.#sql.run(
      'INSERT INTO point (bucket, ts, series, value) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
      bucket,
      ts,
      series,
      value,
    );
    if (added > 0) return true;
    this.#sql.run(
      'UPDATE point SET value = ? WHERE bucket = ? AND ts = ? AND series = ?',
      value,
      bucket,
      ts,
      series,
    );
    return false;
  }

  /** The time of the oldest row; 0 without rows. */
  oldestTime(bucket: number): number {
    return this.#sql.number('SELECT ts FROM point WHERE bucket = ? ORDER BY ts, series LIMIT 1', bucket);
  }

  /** Removes the oldest rows; answers how many. */
  removeOldest(bucket: number, count: number): number {
    return this.removeBefore(bucket, Number.MAX_SAFE_INTEGER, count);
  }

  /** Removes rows before a time, but no more than the limit; answers how many. */
  removeBefore(bucket: number, ts: number, limit: number): number {
    return this.#sql.run(
      `DELETE FROM point WHERE (bucket, ts, series) IN (
         SELECT bucket, ts, series FROM point WHERE bucket = ? AND ts < ? ORDER BY ts, series LIMIT ?
       )`,
      bucket,
      Math.ceil(ts),
      limit,
    );
  }

  /** The first rows of a range, by time and then by device. */
  read(range: PointRange): Point[] {
    return this.#rows(range).map((row) => {
      const series = numberOf(row, 'series');
      return {
        ts: numberOf(row, 'ts'),
        series,
        device: this.#deviceOf(series),
        value: bytesOf(row, 'value'),
      };
    });
  }

  /** The devices of a bucket by first appearance, also those that have no rows any more. */
  devicesOf(bucket: number): string[] {
    return this.#sql
      .all('SELECT device FROM series WHERE bucket = ? ORDER BY id', bucket)
      .map((row) => textOf(row, 'device'));
  }

  /** The number of a device in a bucket, or undefined. */
  findSeries(bucket: number, device: string): number | undefined {
    const known = this.#series.get(seriesKey(bucket, device));
    if (known !== undefined) return known;
    const row = this.#sql.get('SELECT id FROM series WHERE bucket = ? AND device = ?', bucket, device);
    return row && this.#remember(bucket, device, numberOf(row, 'id'));
  }

  #rows({ bucket, minTs, maxTs, ascending, after, series, limit }: PointRange): Row[] {
    if (series !== undefined) {
      if (ascending) {
        const from = after === undefined ? minTs : Math.max(minTs, after.ts + 1);
        return this.#sql.all(READ_SERIES, series, from, maxTs, limit);
      }
      const until = after === undefined ? maxTs : Math.min(maxTs, after.ts - 1);
      return this.#sql.all(READ_SERIES_BACKWARDS, series, minTs, until, limit);
    }
    if (ascending) {
      const key = after === undefined || after.ts < minTs ? { ts: minTs, series: -1 } : after;
      return this.#sql.all(READ_BUCKET, bucket, key.ts, key.series, maxTs, limit);
    }
    const key = after === undefined || after.ts > maxTs ? { ts: maxTs, series: MAX_SERIES } : after;
    return this.#sql.all(READ_BUCKET_BACKWARDS, bucket, key.ts, key.series, minTs, limit);
  }

  #deviceOf(series: number): string {
    const known = this.#devices.get(series);
    if (known !== undefined) return known;
    const row = this.#sql.get('SELECT bucket, device FROM series WHERE id = ?', series);
    if (row === undefined) return '';
    const device = textOf(row, 'device');
    this.#remember(numberOf(row, 'bucket'), device, series);
    return device;
  }

  #addSeries(bucket: number, device: string): number {
    this.#sql.run('INSERT INTO series (bucket, device) VALUES (?, ?)', bucket, device);
    return this.#remember(bucket, device, this.#sql.number('SELECT last_insert_rowid()'));
  }

  #remember(bucket: number, device: string, series: number): number {
    if (this.#series.size >= MAX_KNOWN) this.forget();
    this.#series.set(seriesKey(bucket, device), series);
    this.#devices.set(series, device);
    return series;
  }
}

function seriesKey(bucket: number, device: string): string {
  return `${bucket}/${device}`;
}
