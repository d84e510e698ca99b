import { MAX_ENCODED_SIZE } from '../../../codec/constants';
import type { PointKey } from '../../bucket-args';
import type { BucketRow } from '../../bucket-row';
import { pickFields } from '../../field-path';
import { packValues, toStored, type PackedValues } from '../../stored-value';
import type { SelectedPoint } from './select-points';

/** Rows on their way between the threads. */
export interface PackedRows<Next> {
  readonly ts: readonly number[];
  /** Empty for none. */
  readonly devices: readonly string[];
  readonly values: PackedValues;
  /** Where more rows begin, if there are more. */
  readonly next: Next | undefined;
}

/** A page of rows ends when it has got this large, in bytes. */
const MAX_BYTES = 8 * 1024 * 1024;

/** Gathers the rows of an answer. */
export class RowsPage {
  readonly #ts: number[] = [];
  readonly #devices: string[] = [];
  readonly #values: Uint8Array[] = [];
  #bytes = 0;
  /** The row that was added last. */
  last: PointKey | undefined;

  /** Whether there are as many rows as the limit, or as many bytes as a page holds. */
  isFull(limit: number): boolean {
    return this.#ts.length >= limit || this.#bytes >= MAX_BYTES;
  }

  /** Adds a row as it is kept, or only the fields wanted of it. */
  addPoint({ point, value }: SelectedPoint, fields: readonly string[] | undefined): void {
    const bytes = fields === undefined ? point.value : toStored(pickFields(value, fields), MAX_ENCODED_SIZE);
    this.#add(point.ts, point.device, bytes);
    this.last = { ts: point.ts, series: point.series };
  }

  /** Adds rows that were made by aggregation. */
  addRows(rows: readonly BucketRow[]): void {
    for (const { ts, device = '', value } of rows) this.#add(ts, device, toStored(value, MAX_ENCODED_SIZE));
  }

  /** All of it; `next` says where more begins. */
  result<Next>(next: Next | undefined): PackedRows<Next> {
    return { ts: this.#ts, devices: this.#devices, values: packValues(this.#values), next };
  }

  #add(ts: number, device: string, value: Uint8Array): void {
    this.#ts.push(ts);
    this.#devices.push(device);
    this.#values.push(value);
    this.#bytes += value.length;
  }
}
