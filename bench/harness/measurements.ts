import { summarize } from './statistics';
import type { Check, Goal, Ratio, Row } from './suite';

/** One metric of one contender in one scenario. */
export interface Cell {
  readonly scenario: string;
  readonly contender: string;
  readonly metric: string;
}

/** Collects what the rounds of a suite give, and compares contenders round by round. */
export class Measurements {
  readonly #values = new Map<string, Map<string, Map<string, number[]>>>();

  /** Notes the metrics of one run. */
  add(scenario: string, contender: string, metrics: Readonly<Record<string, number>>): void {
    const contenders = this.#values.get(scenario) ?? new Map<string, Map<string, number[]>>();
    this.#values.set(scenario, contenders);
    const known = contenders.get(contender) ?? new Map<string, number[]>();
    contenders.set(contender, known);
    for (const [name, value] of Object.entries(metrics)) {
      const values = known.get(name) ?? [];
      values.push(value);
      known.set(name, values);
    }
  }

  /** The values of one metric in the order of the rounds. */
  values(scenario: string, contender: string, metric: string): readonly number[] {
    return this.#values.get(scenario)?.get(contender)?.get(metric) ?? [];
  }

  get rows(): Row[] {
    const rows: Row[] = [];
    for (const [scenario, contenders] of this.#values) {
      for (const [contender, metrics] of contenders) {
        const summaries = [...metrics].map(([name, values]) => [name, summarize(values)] as const);
        rows.push({ scenario, contender, metrics: Object.fromEntries(summaries) });
      }
    }
    return rows;
  }

  /**
   * The ratio of one metric between two contenders, of whom both ran in each round: what disturbs a round disturbs
   * both. Empty where one of them did not run.
   */
  ratio(
    what: { name: string; scenario: string; metric: string; better: 'more' | 'less'; target?: number },
    contender: string,
    peer: string,
  ): Ratio[] {
    return this.compare(what, { ...what, contender }, { ...what, contender: peer });
  }

  /** The ratio of any two metrics that were measured in each round. Empty where one of them was not. */
  compare({ name, better, target }: Omit<Goal, 'value'>, own: Cell, other: Cell): Ratio[] {
    const against = this.#of(other);
    const ratios = this.#of(own).flatMap((value, round) => {
      const divisor = against[round];
      return divisor === undefined ? [] : [value / divisor];
    });
    if (ratios.length === 0) return [];
    return [{ name, value: summarize(ratios).median, better, target }];
  }

  /** A metric against a target of its own. Empty where it was not measured. */
  check(what: Omit<Check, 'value'>, cell: Cell): Check[] {
    const values = this.#of(cell);
    return values.length === 0 ? [] : [{ ...what, value: summarize(values).median }];
  }

  #of({ scenario, contender, metric }: Cell): readonly number[] {
    return this.values(scenario, contender, metric);
  }
}

/** Makes the ratios of this package to its peers, named by what they compare. */
export function ratioTo(
  measurements: Measurements,
): (scenario: string, metric: string, better: 'more' | 'less', peer: string, target?: number) => Ratio[] {
  return (scenario, metric, better, peer, target) => {
    const what = { name: `${scenario}: ${metric} / ${peer}`, scenario, metric, better };
    return measurements.ratio(target === undefined ? what : { ...what, target }, 'iotmp', peer);
  };
}
