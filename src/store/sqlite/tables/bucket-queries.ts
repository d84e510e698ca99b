import { IotmpError } from '../../../errors';
import { Aggregator } from '../../aggregation/aggregator';
import type { AggregateArgs, LatestArgs, PointKey, RangeArgs, SelectionArgs } from '../../bucket-args';
import { valueAt } from '../../field-path';
import type { BucketKey } from '../../bucket-store';
import type { DamagedRecords } from '../../damaged-records';
import { rowName } from './bucket-names';
import type { BucketTable } from './bucket-table';
import type { Steps } from './operations';
import type { PointTable } from './point-table';
import { RowsPage, type PackedRows } from './rows-page';
import { selectPoints, tagText, type PointSelection, type SelectedPoint } from './select-points';

/** Arguments of {@link BucketQueries.tagValues}. */
export interface TagArgs extends SelectionArgs {
  readonly tag: string;
}

const MAX_LATEST = 50_000;
const MAX_TAG_VALUES = 1000;
/** Number of devices whose newest rows are read in one step. */
const DEVICES_STEP = 200;

/** The queries over the rows of buckets. They may take long, and are done in steps. */
export class BucketQueries {
  readonly #buckets: BucketTable;
  readonly #points: PointTable;
  readonly #damaged: DamagedRecords;

  constructor(buckets: BucketTable, points: PointTable, damaged: DamagedRecords) {
    this.#buckets = buckets;
    this.#points = points;
    this.#damaged = damaged;
  }

  *range(args: RangeArgs): Steps<PackedRows<PointKey>> {
    const { limit, offset, ascending, after } = args;
    const page = new RowsPage();
    const bucket = this.#buckets.entry(args).id;
    let skip = offset;
    let next: PointKey | undefined;
    const wanted = limit + offset + 1;
    yield* this.#select(args, { bucket, selection: args, ascending, after, wanted }, (selected) => {
      if (skip-- > 0) return false;
      if (page.isFull(limit)) next = page.last;
      else page.addPoint(selected, args.fields);
      return next !== undefined;
    });
    return page.result(next);
  }

  *latest(args: LatestArgs): Steps<PackedRows<never>> {
    const { perDevice, fields } = args;
    const bucket = this.#buckets.entry(args).id;
    const page = new RowsPage();
    const wanted = args.devices && new Set(args.devices);
    const all = this.#points.devicesOf(bucket).filter((device) => wanted?.has(device) ?? true);
    for (const [index, device] of all.entries()) {
      if (index % DEVICES_STEP === DEVICES_STEP - 1) yield;
      const selection = { ...args, devices: [device] };
      let count = 0;
      yield* this.#select(args, { bucket, selection, ascending: false, wanted: perDevice }, (selected) => {
        if (page.isFull(MAX_LATEST)) throw tooManyRows();
        page.addPoint(selected, fields);
        return ++count === perDevice;
      });
    }
    return page.result<never>(undefined);
  }

  *aggregate(args: AggregateArgs): Steps<PackedRows<number>> {
    const bucket = this.#buckets.entry(args).id;
    const { ascending, limit } = args;
    const aggregator = new Aggregator(args);
    const page = new RowsPage();
    let next: number | undefined;
    yield* this.#select(args, { bucket, selection: args, ascending }, (selected) => {
      const { ts, device } = selected.point;
      page.addRows(aggregator.add(ts, device, selected.value));
      if (page.isFull(limit)) next = ts;
      return next !== undefined;
    });
    if (next === undefined) page.addRows(aggregator.finish());
    return page.result(next);
  }

  *tagValues(args: TagArgs): Steps<string[]> {
    const bucket = this.#buckets.entry(args).id;
    const values = new Set<string>();
    if (args.tag === 'device') yield* this.#devices(bucket, args, values);
    else {
      yield* this.#select(args, { bucket, selection: args, ascending: true }, (selected) => {
        const text = tagText(valueAt(selected.value, args.tag));
        if (text !== undefined) values.add(text);
        return values.size === MAX_TAG_VALUES;
      });
    }
    return [...values].sort();
  }

  /** Goes through rows, but for those that cannot be read. */
  #select(
    key: BucketKey,
    selection: PointSelection,
    visit: (selected: SelectedPoint) => boolean,
  ): Steps<undefined> {
    return selectPoints(this.#points, selection, visit, ({ ts, device }) =>
      this.#damaged.note(rowName(key, ts, device)),
    );
  }

  /** Devices of which a row is selected. */
  *#devices(bucket: number, args: SelectionArgs, found: Set<string>): Steps<undefined> {
    const wanted = args.devices && new Set(args.devices);
    for (const device of this.#points.devicesOf(bucket)) {
      if (device === '' || !(wanted?.has(device) ?? true)) continue;
      const selection = { ...args, devices: [device] };
      yield* this.#select(args, { bucket, selection, ascending: false, wanted: 1 }, () => {
        found.add(device);
        return true;
      });
      if (found.size === MAX_TAG_VALUES) return;
      yield;
    }
  }
}

function tooManyRows(): IotmpError {
  return new IotmpError(
    'IOTMP_ERR_TOO_LARGE',
    'too many rows at once: ask for fewer devices, or fewer rows of each',
  );
}
