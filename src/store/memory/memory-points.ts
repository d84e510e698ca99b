import type { Point, PointKey, PointRange, Series } from '../core/point-source';
import type { PointTable } from '../core/tables';

/** The rows of buckets, each bucket's in an array in their order. */
export class MemoryPoints implements PointTable {
  readonly #buckets = new Map<number, BucketPoints>();

  has(bucket: number, ts: number, device: string): boolean {
    return this.#buckets.get(bucket)?.has(ts, device) ?? false;
  }

  put(bucket: number, ts: number, device: string, value: Uint8Array): boolean {
    let points = this.#buckets.get(bucket);
    if (points === undefined) {
      points = new BucketPoints();
      this.#buckets.set(bucket, points);
    }
    return points.put(ts, device, value);
  }

  removeOldest(bucket: number, count: number): number {
    return this.#buckets.get(bucket)?.removeFirst(count) ?? 0;
  }

  removeBefore(bucket: number, ts: number, limit: number): number {
    const points = this.#buckets.get(bucket);
    return points?.removeFirst(Math.min(points.countBefore(ts), limit)) ?? 0;
  }

  read(range: PointRange): Point[] {
    return this.#buckets.get(range.bucket)?.read(range) ?? [];
  }

  seriesOf(bucket: number): Series[] {
    return this.#buckets.get(bucket)?.series() ?? [];
  }

  findSeries(bucket: number, device: string): number | undefined {
    return this.#buckets.get(bucket)?.findSeries(device);
  }

  /** Forgets a bucket. */
  drop(bucket: number): void {
    this.#buckets.delete(bucket);
  }
}

class BucketPoints {
  #points: Point[] = [];
  /** Points before this one have been removed; the array is cut when they are half of it. */
  #first = 0;
  readonly #series = new Map<string, number>();

  has(ts: number, device: string): boolean {
    const series = this.#series.get(device);
    return series !== undefined && this.#isAt(this.#indexOf({ ts, series }), { ts, series });
  }

  put(ts: number, device: string, value: Uint8Array): boolean {
    let series = this.#series.get(device);
    if (series === undefined) {
      series = this.#series.size;
      this.#series.set(device, series);
    }
    const point = { ts, series, device, value };
    const index = this.#indexOf(point);
    const isNew = !this.#isAt(index, point);
    if (index === this.#points.length) this.#points.push(point);
    else this.#points.splice(index, isNew ? 0 : 1, point);
    return isNew;
  }

  removeFirst(count: number): number {
    const removed = Math.min(count, this.#points.length - this.#first);
    this.#first += removed;
    if (this.#first > this.#points.length / 2) {
      this.#points = this.#points.slice(this.#first);
      this.#first = 0;
    }
    return removed;
  }

  countBefore(ts: number): number {
    return this.#indexOf({ ts, series: -1 }) - this.#first;
  }

  series(): Series[] {
    return [...this.#series].map(([device, series]) => ({ device, series }));
  }

  findSeries(device: string): number | undefined {
    return this.#series.get(device);
  }

  read({ minTs, maxTs, ascending, after, series, limit }: PointRange): Point[] {
    const found: Point[] = [];
    const step = ascending ? 1 : -1;
    const start = this.#startOf(ascending, minTs, maxTs, after);
    for (let index = start; index >= this.#first && index < this.#points.length; index += step) {
      const point = this.#points[index];
      if (point === undefined || point.ts < minTs || point.ts > maxTs) break;
      if (series !== undefined && point.series !== series) continue;
      found.push(point);
      if (found.length === limit) break;
    }
    return found;
  }

  #startOf(ascending: boolean, minTs: number, maxTs: number, after: PointKey | undefined): number {
    if (ascending) {
      const byTime = this.#indexOf({ ts: minTs, series: -1 });
      return after === undefined ? byTime : Math.max(byTime, this.#indexOf(nextKey(after)));
    }
    const byTime = this.#indexOf({ ts: maxTs, series: Infinity }) - 1;
    return after === undefined ? byTime : Math.min(byTime, this.#indexOf(after) - 1);
  }

  #isAt(index: number, key: PointKey): boolean {
    const there = this.#points[index];
    return there !== undefined && compareKeys(there, key) === 0;
  }

  /** Index of the first point that is not before a key. */
  #indexOf(key: PointKey): number {
    const last = this.#points.at(-1);
    if (last !== undefined && compareKeys(last, key) < 0) return this.#points.length;
    let low = this.#first;
    let high = this.#points.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const point = this.#points[middle];
      if (point !== undefined && compareKeys(point, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function compareKeys(one: PointKey, other: PointKey): number {
  return one.ts - other.ts || one.series - other.series;
}

function nextKey({ ts, series }: PointKey): PointKey {
  return { ts, series: series + 1 };
}
