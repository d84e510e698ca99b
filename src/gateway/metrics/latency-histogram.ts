/** Upper bounds of the buckets, in s. */
const BOUNDS: readonly number[] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30];

/** How long something took, in buckets as Prometheus wants them. */
export class LatencyHistogram {
  readonly #counts = new Float64Array(BOUNDS.length);
  #count = 0;
  #sum = 0;

  /** @param seconds how long it took */
  observe(seconds: number): void {
    this.#count++;
    this.#sum += seconds;
    const bucket = BOUNDS.findIndex((bound) => seconds <= bound);
    if (bucket >= 0) this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
  }

  /** Samples by suffix of the name and labels: the buckets, each with those below it, then sum and count. */
  *samples(): Generator<[suffix: string, labels: Record<string, string>, value: number]> {
    let below = 0;
    for (const [index, bound] of BOUNDS.entries()) {
      below += this.#counts[index] ?? 0;
      yield ['_bucket', { le: String(bound) }, below];
    }
    yield ['_bucket', { le: '+Inf' }, this.#count];
    yield ['_sum', {}, this.#sum];
    yield ['_count', {}, this.#count];
  }
}
