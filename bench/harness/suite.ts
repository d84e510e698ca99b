import type { Summary } from './statistics';

/** How thorough a suite measures. */
export interface Thoroughness {
  /** Interleaved runs of each contender. */
  readonly rounds: number;
  /** Length of one measurement in s, without its warm-up. */
  readonly seconds: number;
}

/** One contender in one scenario. */
export interface Row {
  readonly scenario: string;
  readonly contender: string;
  readonly metrics: Readonly<Record<string, Summary>>;
}

/** Two contenders compared, and what was aimed at. */
export interface Ratio {
  readonly name: string;
  /** Median of the ratios of the single rounds. */
  readonly value: number;
  /** Whether more or less is better. */
  readonly better: 'more' | 'less';
  /** Absent where the ratio is only told. */
  readonly target?: number | undefined;
}

/** What a suite found. */
export interface SuiteResult {
  readonly suite: string;
  readonly title: string;
  /** What a reader has to know, such as contenders that were left out. */
  readonly notes: readonly string[];
  readonly rows: readonly Row[];
  readonly ratios: readonly Ratio[];
}

/** A part of the benchmark that can be run alone. */
export interface Suite {
  readonly name: string;
  readonly title: string;
  /** For the full benchmark, and for a quick comparison with the committed results. */
  readonly full: Thoroughness;
  readonly quick: Thoroughness;
  run(how: Thoroughness): Promise<SuiteResult>;
}

/** Whether a ratio reaches its target; `undefined` without one. */
export function isMet({ value, better, target }: Ratio): boolean | undefined {
  if (target === undefined) return undefined;
  return better === 'more' ? value >= target : value <= target;
}
