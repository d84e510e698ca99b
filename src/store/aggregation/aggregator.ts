import { isMap, type Value } from '../../types';
import type { BucketRow } from '../bucket-row';
import { nest, valueAt } from '../field-path';
import { makeAccumulator, type Accumulator } from './accumulator';
import type { AggregationFunction } from './aggregation-function';
import { HeldNumbers } from './held-numbers';
import { Spans, type Span } from './spans';
import type { SpanName } from './span-name';

/** How an {@link Aggregator} works. */
export interface AggregatorOptions {
  readonly span: SpanName;
  readonly function: AggregationFunction;
  readonly timeZone?: string | undefined;
  readonly groupBy?: 'device' | undefined;
  /** Paths of the members wanted; all that are numbers unless given. */
  readonly fields?: readonly string[] | undefined;
  /** Most numbers to hold at a time. */
  readonly maxHeld?: number;
}

type Members = Map<string, Accumulator>;

/**
 * Turns rows, one after the other in the order of their times, into one row for each span. It holds only the span that is
 * open. Members that are no finite numbers are passed over; BigInts count as the nearest number.
 */
export class Aggregator {
  readonly #options: AggregatorOptions;
  readonly #spans: Spans;
  readonly #held: HeldNumbers;
  #span: Span = { start: 0, end: 0 };
  /** The open span by device; by the empty text where rows are not told apart. */
  readonly #groups = new Map<string, Members>();

  /** `IOTMP_ERR_CONFIG` for a zone that is not known. */
  constructor(options: AggregatorOptions) {
    this.#options = options;
    this.#spans = new Spans(options.span, options.timeZone);
    this.#held = new HeldNumbers(options.maxHeld);
  }

  /** The span to which the rows taken last belong. */
  get span(): Span {
    return this.#span;
  }

  /** Takes a row; answers the rows of the span before, if this row begins another. */
  add(ts: number, device: string, value: Value): BucketRow[] {
    const finished = ts >= this.#span.start && ts < this.#span.end ? [] : this.#begin(ts);
    const members = this.#membersOf(this.#options.groupBy === 'device' ? device : '');
    const { fields } = this.#options;
    if (fields === undefined) this.#addMembers(members, '', value);
    else for (const path of fields) this.#addMember(members, path, valueAt(value, path));
    return finished;
  }

  /** The rows of the span that is open, which is closed by it. */
  finish(): BucketRow[] {
    const rows = [...this.#groups]
      .filter(([, members]) => members.size > 0)
      .map(([device, members]) => ({
        ts: this.#span.start,
        ...(device !== '' && { device }),
        value: resultsOf(members),
      }));
    this.#groups.clear();
    this.#held.reset();
    return rows;
  }

  #begin(ts: number): BucketRow[] {
    const finished = this.finish();
    this.#span = this.#spans.at(ts);
    return finished;
  }

  #membersOf(device: string): Members {
    let members = this.#groups.get(device);
    if (members === undefined) {
      members = new Map();
      this.#groups.set(device, members);
    }
    return members;
  }

  #addMembers(members: Members, prefix: string, value: Value): void {
    if (!isMap(value)) return;
    for (const key of Object.keys(value)) this.#addMember(members, prefix + key, value[key]);
  }

  #addMember(members: Members, path: string, value: Value | undefined): void {
    if (typeof value === 'bigint') this.#addMember(members, path, Number(value));
    else if (typeof value !== 'number') this.#addMembers(members, `${path}.`, value ?? null);
    else if (Number.isFinite(value)) this.#accumulator(members, path).add(value);
  }

  #accumulator(members: Members, path: string): Accumulator {
    let accumulator = members.get(path);
    if (accumulator === undefined) {
      this.#held.note();
      accumulator = makeAccumulator(this.#options.function, this.#held);
      members.set(path, accumulator);
    }
    return accumulator;
  }
}

/** What has no answer is null. */
function resultsOf(members: Members): Record<string, Value> {
  return nest([...members].map(([path, accumulator]) => [path, accumulator.result() ?? null]));
}
