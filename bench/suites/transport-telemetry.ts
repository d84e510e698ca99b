import type { GeneratorProgram } from '../harness/build-generator';
import { Measurements } from '../harness/measurements';
import { interleave } from '../harness/rounds';
import type { Ratio, Suite, SuiteResult, Thoroughness } from '../harness/suite';
import { skipped } from './skipped';
import { withGenerator } from './with-generator';
import {
  iotmpTelemetry,
  Load,
  measureTelemetry,
  telemetryScenario,
  type TelemetryDialect,
} from './telemetry-load';

const DEVICES = 50;

/** So much of what the bare counter does is to be left. */
const TARGET = 0.8;

/** What a suite of telemetry over one transport is told. */
export interface TransportTelemetry {
  readonly name: string;
  readonly title: string;
  /** The one that only counts. */
  readonly bare: TelemetryDialect;
  readonly notes: readonly string[];
  /** Why this generator cannot make the load, if so. */
  readonly obstacle?: (program: GeneratorProgram) => string | undefined;
}

/** A suite that compares the library with one that only counts, over the same transport. */
export function transportTelemetry(what: TransportTelemetry): Suite {
  const { name, title, obstacle } = what;
  const timing = { full: { rounds: 5, seconds: 1 }, quick: { rounds: 3, seconds: 0.5 } };
  return withGenerator({ name, title, ...timing }, async (program, how) => {
    const reason = obstacle?.(program);
    return reason === undefined ? measureAll(program, how, what) : skipped(name, title, reason);
  });
}

async function measureAll(
  program: GeneratorProgram,
  { rounds, seconds }: Thoroughness,
  { name, title, bare, notes }: TransportTelemetry,
): Promise<SuiteResult> {
  const measurements = new Measurements();
  await interleave(rounds, [bare, iotmpTelemetry(bare.transport)], (dialect) =>
    measureTelemetry(program, dialect, DEVICES, seconds, measurements),
  );
  return {
    suite: name,
    title,
    notes,
    rows: measurements.rows,
    ratios: ratiosOf(measurements, bare.contender),
  };
}

function ratiosOf(measurements: Measurements, bare: string): Ratio[] {
  const ratio = (load: string, metric: string, better: 'more' | 'less', target?: number): Ratio[] => {
    const scenario = telemetryScenario(load, DEVICES);
    const what = { name: `${scenario}: ${metric} / ${bare}`, scenario, metric, better };
    return measurements.ratio(target === undefined ? what : { ...what, target }, 'iotmp', bare);
  };
  return [
    ...ratio(Load.many, 'messages/s', 'more', TARGET),
    ...ratio(Load.one, 'messages/s', 'more', TARGET),
    ...ratio(Load.paced, 'CPU s/million', 'less'),
  ];
}
