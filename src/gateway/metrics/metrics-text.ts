/** Upper bounds of the buckets, in s. */
const BOUNDS: readonly number[] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30];

/** A number of a metric, with its labels. */
export type MetricSample = readonly [labels: Readonly<Record<string, string>>, value: number];

/** Counts by labels. All labels are written in this program, so that there are few of them. */
export class LabelCounter {
  readonly #counts = new Map<string, { labels: Readonly<Record<string, string>>; value: number }>();

  add(labels: Readonly<Record<string, string>> = {}, by = 1): void {
    const key = Object.values(labels).join('\n');
    const count = this.#counts.get(key);
    if (count === undefined) this.#counts.set(key, { labels, value: by });
    else count.value += by;
  }

  /** All counts together, or those whose labels are chosen. */
  total(isChosen: (labels: Readonly<Record<string, string>>) => boolean = () => true): number {
    let sum = 0;
    for (const { labels, value } of this.#counts.values()) if (isChosen(labels)) sum += value;
    return sum;
  }

  /** The counts; one of 0 before the first. */
  *samples(): Generator<MetricSample> {
    if (this.#counts.size === 0) yield [{}, 0];
    for (const { labels, value } of this.#counts.values()) yield [labels, value];
  }
}

/** Counts durations in the buckets of a Prometheus histogram. */
export class LatencyHistogram {
  readonly #counts = new Float64Array(BOUNDS.length);
  #count = 0;
  #sum = 0;

  /** Counts one duration, in s. */
  observe(seconds: number): void {
    this.#count++;
    this.#sum += seconds;
    const bucket = BOUNDS.findIndex((bound) => seconds <= bound);
    if (bucket >= 0) this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
  }

  /** Each bucket with those below it, then the sum and the count. */
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

/** Writes metrics in the text format of Prometheus (version 0.0.4). */
export class MetricsText {
  readonly #lines: string[] = [];

  /** Adds a metric and its samples. The `suffix` of a sample is added to the name. */
  add(
    name: string,
    type: 'counter' | 'gauge' | 'histogram',
    help: string,
    samples: Iterable<MetricSample | readonly [suffix: string, ...MetricSample]>,
  ): this {
    this.#lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    for (const sample of samples) {
      const [suffix, labels, value] = sample.length === 3 ? sample : ['', ...sample];
      this.#lines.push(`${name}${suffix}${labelText(labels)} ${numberText(value)}`);
    }
    return this;
  }

  toString(): string {
    return `${this.#lines.join('\n')}\n`;
  }
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}
