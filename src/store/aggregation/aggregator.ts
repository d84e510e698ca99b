import { isMap, type Value } from '../../types';
import type { BucketRow } from '../bucket-row';
import { keysAt, valueAt } from '../field-path';
import { KeyTree } from '../key-tree';
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

/** The members of a group by their keys, and whether any of them had a number. */
interface MemberGroup {
  readonly members: KeyTree<Accumulator>;
  hasNumbers: boolean;
}

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
  readonly #groups = new Map<string, MemberGroup>();

  /** `IOTMP_ERR_CONFIG` for a zone that is not known. */
  constructor(options: AggregatorOptions) {
    this.#options = options;
    this.#spans = new Spans(options.span, options.timeZone);
    this.#held = new HeldNumbers(options.maxHeld);
  }

  /** Takes a row; answers the rows of the span before, if this row begins another. */
  add(ts: number, device: string, value: Value): BucketRow[] {
    const finished = ts >= this.#span.start && ts < this.#span.end ? [] : this.#begin(ts);
    const group = this.#groupOf(this.#options.groupBy === 'device' ? device : '');
    const { fields } = this.#options;
    if (fields === undefined && isMap(value)) this.#addMembers(group, group.members, value);
    for (const path of fields ?? []) this.#addField(group, value, path);
    return finished;
  }

  /** The rows of the span that is open, which is closed by it. */
  finish(): BucketRow[] {
    const rows = [...this.#groups]
      .filter(([, { hasNumbers }]) => hasNumbers)
      .map(([device, { members }]) => ({
        ts: this.#span.start,
        ...(device !== '' && { device }),
        // What has no answer is null.
        value: members.toMap((accumulator) => accumulator.result() ?? null),
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

  #groupOf(device: string): MemberGroup {
    let group = this.#groups.get(device);
    if (group === undefined) {
      group = { members: new KeyTree(), hasNumbers: false };
      this.#groups.set(device, group);
    }
    return group;
  }

  #addField(group: MemberGroup, value: Value, path: string): void {
    const keys = keysAt(value, path);
    const key = keys?.at(-1);
    if (keys === undefined || key === undefined) return;
    const place = keys.slice(0, -1).reduce((from, next) => this.#placeAt(from, next), group.members);
    this.#addMember(group, place, key, valueAt(value, path) ?? null);
  }

  /** Only what may have numbers gets a place: texts may have more names than the memory has room for. */
  #addMember(group: MemberGroup, from: KeyTree<Accumulator>, key: string, value: Value): void {
    if (typeof value === 'bigint') this.#addNumber(group, this.#placeAt(from, key), Number(value));
    else if (typeof value === 'number') {
      if (Number.isFinite(value)) this.#addNumber(group, this.#placeAt(from, key), value);
    } else if (isMap(value)) this.#addMembers(group, this.#placeAt(from, key), value);
  }

  #addMembers(group: MemberGroup, place: KeyTree<Accumulator>, map: Readonly<Record<string, Value>>): void {
    for (const key of Object.keys(map)) this.#addMember(group, place, key, map[key] ?? null);
  }

  #addNumber(group: MemberGroup, place: KeyTree<Accumulator>, number: number): void {
    place.leaf ??= makeAccumulator(this.#options.function, this.#held);
    place.leaf.add(number);
    group.hasNumbers = true;
  }

  #placeAt(from: KeyTree<Accumulator>, key: string): KeyTree<Accumulator> {
    if (!from.has(key)) this.#held.note();
    return from.at(key);
  }
}
