/** One number of a metric, with what it is of. */
export type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

/** Writes metrics in the text format of Prometheus (version 0.0.4). */
export class MetricsText {
  readonly #lines: string[] = [];

  /** A metric and its samples; `suffix` belongs to the name of each. */
  add(
    name: string,
    type: 'counter' | 'gauge' | 'histogram',
    help: string,
    samples: Iterable<Sample | readonly [suffix: string, ...Sample]>,
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
