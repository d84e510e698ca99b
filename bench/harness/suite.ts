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

/** What came of a measurement, and what was aimed at. */
export interface Goal {
  readonly name: string;
  readonly value: number;
  /** Whether more or less is better. */
  readonly better: 'more' | 'less';
  /** Absent where the value is only told. */
  readonly target?: number | undefined;
}

/** Two contenders, or two scenarios, compared: the median of the ratios of the single rounds. */
export type Ratio = Goal;

/**
 * A figure of one contender with a target of its own, as the median of the rounds. It depends on the machine, so that
 * it is not compared with a committed one.
 */
export interface Check extends Goal {
  readonly unit: string;
  readonly target: number;
}

/** How a figure runs with a number, as a line of a {@link Plot}. */
export interface Line {
  readonly label: string;
  readonly points: readonly { readonly x: number; readonly y: Summary }[];
}

/** A picture for the report. */
export interface Plot {
  /** Name of its file, without a folder. */
  readonly file: string;
  readonly title: string;
  /** What the axes show: `x` is logarithmic, `y` begins with 0. */
  readonly x: string;
  readonly y: string;
  readonly lines: readonly Line[];
}

/** What a suite found. */
export interface SuiteResult {
  readonly suite: string;
  readonly title: string;
  /** What a reader has to know, such as contenders that were left out. */
  readonly notes: readonly string[];
  readonly rows: readonly Row[];
  readonly ratios: readonly Ratio[];
  readonly checks?: readonly Check[];
  readonly plots?: readonly Plot[];
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

/** Whether a target is reached; `undefined` without one. */
export function isMet({ value, better, target }: Goal): boolean | undefined {
  if (target === undefined) return undefined;
  return better === 'more' ? value >= target : value <= target;
}
