import type { GeneratorProgram } from '../harness/build-generator';
import { ContenderProcess } from '../harness/contender-process';
import { LoadGenerator } from '../harness/load-generator';
import { Measurements, ratioTo } from '../harness/measurements';
import { interleave } from '../harness/rounds';
import type { Ratio, Suite, SuiteResult, Thoroughness } from '../harness/suite';
import { forDevices } from '../wire/device-names';
import { answerDescribe, answerRun, connectMessage, rawSample } from '../wire/iotmp-wire';
import { answerCall, callTopic, connectPacket, subscribePacket } from '../wire/mqtt-wire';
import { withGenerator } from './with-generator';

const NAME = 'calls';
const TITLE = 'Calls from the server to its devices';
const DEVICES = 64;

const SCENARIOS = [
  { scenario: 'one at a time', devices: 1, inFlight: 1 },
  { scenario: '64 in flight to one device', devices: 1, inFlight: 64 },
  { scenario: '64 devices, one each', devices: DEVICES, inFlight: 1 },
] as const;

/** How the devices of a contender are played. */
interface Dialect {
  readonly contender: string;
  readonly script: string;
  readonly options?: Readonly<Record<string, unknown>>;
  connect(generator: LoadGenerator): Promise<unknown>;
}

const connectRaw = (generator: LoadGenerator): Promise<unknown> => {
  generator.rule(answerRun);
  return generator.open({ first: forDevices(DEVICES, rawSample), frames: 0 });
};

const dialects: readonly Dialect[] = [
  { contender: 'raw', script: 'raw-calls', connect: connectRaw },
  { contender: 'raw, coalesced', script: 'raw-calls', options: { coalesce: true }, connect: connectRaw },
  {
    contender: 'iotmp',
    script: 'iotmp-calls',
    connect(generator) {
      generator.rule(answerRun);
      generator.rule(answerDescribe);
      return generator.open({ first: forDevices(DEVICES, connectMessage), frames: 1 });
    },
  },
  {
    contender: 'aedes',
    script: 'aedes-calls',
    connect(generator) {
      generator.rule(answerCall);
      const first = forDevices(DEVICES, (index) =>
        Buffer.concat([connectPacket(index), subscribePacket(callTopic(index))]),
      );
      return generator.open({ first, frames: 2 });
    },
  },
];

/** Calls from the server's own process: there and back over one connection. */
export const callsSuite: Suite = withGenerator(
  {
    name: NAME,
    title: TITLE,
    full: { rounds: 5, seconds: 1 },
    quick: { rounds: 3, seconds: 0.5 },
  },
  measureAll,
);

async function measureAll(program: GeneratorProgram, how: Thoroughness): Promise<SuiteResult> {
  const measurements = new Measurements();
  await interleave(how.rounds, dialects, (dialect) =>
    measureOne(program, dialect, how.seconds, measurements),
  );
  return {
    suite: NAME,
    title: TITLE,
    notes: ['The calls read an output: the server has asked the device once what it hosts.'],
    rows: measurements.rows,
    ratios: ratiosOf(measurements),
  };
}

async function measureOne(
  program: GeneratorProgram,
  dialect: Dialect,
  seconds: number,
  measurements: Measurements,
): Promise<void> {
  const options = { devices: DEVICES, ...dialect.options };
  const contender = await ContenderProcess.launch({ script: dialect.script, options });
  const generator = new LoadGenerator(program, contender.port);
  await dialect.connect(generator);
  for (const { scenario, devices, inFlight } of SCENARIOS) {
    const figures = await contender.ask<'calls'>({ name: 'calls', devices, inFlight, seconds });
    const { rss, loopDelay } = await contender.mark();
    measurements.add(scenario, dialect.contender, {
      'calls/s': figures.calls / figures.seconds,
      'median us': figures.median,
      'p99 us': figures.p99,
      'CPU s/million': (figures.cpu / figures.calls) * 1e6,
      'loop delay p99 ms': loopDelay,
      'RSS MB': rss / 1e6,
    });
  }
  await contender.stop();
  await generator.stop();
}

function ratiosOf(measurements: Measurements): Ratio[] {
  const [alone, oneDevice, manyDevices] = SCENARIOS;
  const ratio = ratioTo(measurements);
  return [
    ...ratio(alone.scenario, 'median us', 'less', 'raw', 1.1),
    ...ratio(alone.scenario, 'median us', 'less', 'aedes'),
    ...ratio(oneDevice.scenario, 'calls/s', 'more', 'aedes', 2.5),
    ...ratio(oneDevice.scenario, 'calls/s', 'more', 'raw, coalesced'),
    ...ratio(oneDevice.scenario, 'CPU s/million', 'less', 'aedes'),
    ...ratio(manyDevices.scenario, 'calls/s', 'more', 'aedes', 1.5),
    ...ratio(manyDevices.scenario, 'calls/s', 'more', 'raw'),
    ...ratio(manyDevices.scenario, 'CPU s/million', 'less', 'aedes'),
  ];
}
