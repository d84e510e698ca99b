import type { GeneratorProgram } from '../harness/build-generator';
import { between, ContenderProcess } from '../harness/contender-process';
import { possibleConnections, tooFewDescriptors } from '../harness/descriptors';
import { LoadGenerator } from '../harness/load-generator';
import { Measurements } from '../harness/measurements';
import { pause } from '../harness/pause';
import { interleave } from '../harness/rounds';
import { summarize } from '../harness/statistics';
import type { Line, Plot, Ratio, Suite, SuiteResult, Thoroughness } from '../harness/suite';
import { forDevices } from '../wire/device-names';
import {
  acceptStream,
  answerRun,
  connectMessage,
  describing,
  MessageType,
  rawSample,
  resourceName,
  sampleBody,
} from '../wire/iotmp-wire';
import { withGenerator } from './with-generator';

const NAME = 'flatness';
const TITLE = 'What a message costs among many devices and resources';
const METRIC = 'CPU s/million';

const DEVICE_COUNTS = [10, 100, 1000, 10_000] as const;
const RESOURCE_COUNTS = [1, 10, 100, 1000] as const;
/** Devices that have several resources. */
const FEW_DEVICES = 10;
/** Calls under way to each of them. */
const IN_FLIGHT = 8;
/** Samples a second. */
const PACE = 50_000;
const WARM_UP_S = 0.5;
/** What the most may cost, with what the fewest cost as 1. */
const FLAT = 1.2;

/** A contender with so many devices, each with so many resources, and the names of what is measured on it. */
interface Case {
  readonly contender: 'raw' | 'iotmp';
  readonly devices: number;
  readonly resources: number;
  readonly samples: string;
  readonly calls?: string;
}

const perDevices = (count: number): string => `samples, ${thousands(count)} devices`;
const perStreams = (count: number): string => `samples, streams of a device: ${thousands(count)}`;
const perResources = (count: number): string => `calls, resources of a device: ${thousands(count)}`;

/** Whether the cost of a message stays what it is, however much there is beside it. */
export const flatnessSuite: Suite = withGenerator(
  {
    name: NAME,
    title: TITLE,
    full: { rounds: 3, seconds: 1 },
    quick: { rounds: 2, seconds: 0.5 },
  },
  measureAll,
);

async function measureAll(
  program: GeneratorProgram,
  { rounds, seconds }: Thoroughness,
): Promise<SuiteResult> {
  const measurements = new Measurements();
  const possible = possibleConnections();
  const counts = DEVICE_COUNTS.filter((devices) => devices <= possible);
  await interleave(rounds, casesOf(counts), (one) => measureOne(program, one, seconds, measurements));
  return {
    suite: NAME,
    title: TITLE,
    notes: [
      `Samples come at ${thousands(PACE)} a second, one a write, from all devices and their streams in turn, to a subscriber of each stream.`,
      'What raw pays more for many devices than for few is the share of the system, of its lists and its caches.',
      `Streams and calls are those of ${FEW_DEVICES} devices; ${IN_FLIGHT} calls are under way to each, to its resources in turn.`,
      ...(counts.length < DEVICE_COUNTS.length ? [tooFewDescriptors(possible)] : []),
    ],
    rows: measurements.rows,
    ratios: ratiosOf(measurements),
    plots: [plotOf(measurements)],
  };
}

function casesOf(deviceCounts: readonly number[]): Case[] {
  const byDevices = deviceCounts.flatMap((devices) =>
    (['raw', 'iotmp'] as const).map((contender) => {
      return { contender, devices, resources: 1, samples: perDevices(devices) };
    }),
  );
  const byResources = RESOURCE_COUNTS.map((resources) => ({
    contender: 'iotmp' as const,
    devices: FEW_DEVICES,
    resources,
    samples: perStreams(resources),
    calls: perResources(resources),
  }));
  return [...byDevices, ...byResources];
}

async function measureOne(
  program: GeneratorProgram,
  one: Case,
  seconds: number,
  measurements: Measurements,
): Promise<void> {
  const { contender: name, devices, resources } = one;
  const script = name === 'raw' ? 'raw-telemetry' : 'iotmp-flatness';
  const contender = await ContenderProcess.launch({ script, options: { devices, resources } });
  const generator = new LoadGenerator(program, contender.port);
  await (name === 'raw' ? connectRaw(generator, devices) : connectIotmp(generator, one));
  const traffic = generator.pace(WARM_UP_S + seconds + 0.1, PACE);
  await pause(WARM_UP_S);
  const before = await contender.mark();
  await pause(seconds);
  const interval = between(before, await contender.mark());
  const { cpu, seconds: paced } = await traffic;
  measurements.add(one.samples, name, {
    [METRIC]: interval.cpuPerMillion,
    'messages/s': interval.perSecond,
    'load CPU share': cpu / paced,
    'loop delay p99 ms': interval.loopDelayMs,
    'RSS MB': interval.rssMb,
  });
  if (one.calls !== undefined) {
    const figures = await contender.ask<'calls'>({ name: 'calls', devices, inFlight: IN_FLIGHT, seconds });
    measurements.add(one.calls, name, {
      [METRIC]: (figures.cpu / figures.calls) * 1e6,
      'calls/s': figures.calls / figures.seconds,
    });
  }
  await contender.stop();
  await generator.stop();
}

async function connectRaw(generator: LoadGenerator, devices: number): Promise<void> {
  await generator.open({ first: forDevices(devices, rawSample), frames: 0 });
  const body = rawSample().subarray(2);
  generator.message(
    MessageType.STREAM_DATA,
    forDevices(devices, () => body),
  );
}

async function connectIotmp(generator: LoadGenerator, { devices, resources }: Case): Promise<void> {
  generator.rule(acceptStream);
  generator.rule(answerRun);
  generator.rule(describing(Array.from({ length: resources }, (_, index) => resourceName(index))));
  // The OK of the login and a START_STREAM for each resource.
  await generator.open({ first: forDevices(devices, connectMessage), frames: 1 + resources });
  generator.message(MessageType.STREAM_DATA, forDevices(devices, sampleBody));
}

function ratiosOf(measurements: Measurements): Ratio[] {
  const growth = (
    name: string,
    contender: Case['contender'],
    most: string,
    fewest: string,
    target?: number,
  ): Ratio[] =>
    measurements.compare(
      { name, better: 'less', target },
      { scenario: most, contender, metric: METRIC },
      { scenario: fewest, contender, metric: METRIC },
    );
  const againstRaw = (devices: number): Ratio[] => {
    const scenario = perDevices(devices);
    const what = { name: `${scenario}: ${METRIC} / raw`, scenario, metric: METRIC, better: 'less' } as const;
    return measurements.ratio(what, 'iotmp', 'raw');
  };
  return [
    ...growth('samples, devices: 10,000 / 10', 'iotmp', perDevices(10_000), perDevices(10), FLAT),
    ...growth('samples, devices: 10,000 / 10, raw', 'raw', perDevices(10_000), perDevices(10)),
    ...growth('samples, streams of a device: 1,000 / 1', 'iotmp', perStreams(1000), perStreams(1), FLAT),
    ...growth('calls, resources of a device: 1,000 / 1', 'iotmp', perResources(1000), perResources(1), FLAT),
    ...DEVICE_COUNTS.flatMap(againstRaw),
  ];
}

function plotOf(measurements: Measurements): Plot {
  const line = (
    label: string,
    contender: Case['contender'],
    counts: readonly number[],
    scenarioOf: (count: number) => string,
  ): Line => {
    const points = counts.flatMap((count) => {
      const values = measurements.values(scenarioOf(count), contender, METRIC);
      return values.length === 0 ? [] : [{ x: count, y: summarize(values) }];
    });
    return { label, points };
  };
  return {
    file: 'flatness.svg',
    title: TITLE,
    x: 'devices, or resources of a device',
    y: 'CPU seconds for a million samples or calls',
    lines: [
      line('calls by resources of a device', 'iotmp', RESOURCE_COUNTS, perResources),
      line('samples by streams of a device', 'iotmp', RESOURCE_COUNTS, perStreams),
      line('samples by devices', 'iotmp', DEVICE_COUNTS, perDevices),
      line('raw frames by devices', 'raw', DEVICE_COUNTS, perDevices),
    ],
  };
}

function thousands(count: number): string {
  return count.toLocaleString('en');
}
