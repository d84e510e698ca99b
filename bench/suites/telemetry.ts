import { buildGenerator, NO_GENERATOR, type GeneratorProgram } from '../harness/build-generator';
import { between, ContenderProcess, type Interval } from '../harness/contender-process';
import { LoadGenerator, type TrafficFigures } from '../harness/load-generator';
import { Measurements } from '../harness/measurements';
import { interleave } from '../harness/rounds';
import type { Ratio, Suite, SuiteResult, Thoroughness } from '../harness/suite';
import { pause } from '../harness/pause';
import { forDevices } from '../wire/device-names';
import { acceptStream, connectMessage, MessageType, rawSample, sampleBody } from '../wire/iotmp-wire';
import { connectPacket, PacketType, publishBody, sampleTopic } from '../wire/mqtt-wire';
import { skipped } from './skipped';

const DEVICES = [50, 1000] as const;
/** As many messages as 16 KB hold. */
const MANY = 400;
const PACE = 100_000;
const WARM_UP_S = 0.5;

const NAME = 'telemetry';
const TITLE = 'Telemetry to a subscriber in the process';

/** How the load generator speaks to a contender. */
interface Dialect {
  readonly contender: string;
  readonly script: string;
  connect(generator: LoadGenerator, devices: number): Promise<unknown>;
  message(generator: LoadGenerator, devices: number, perWrite: number): void;
}

const iotmp: Dialect = {
  contender: 'iotmp',
  script: 'iotmp-telemetry',
  connect(generator, devices) {
    generator.rule(acceptStream);
    // The OK of the login and the START_STREAM of the server.
    return generator.open({ first: forDevices(devices, connectMessage), frames: 2 });
  },
  message(generator, devices, perWrite) {
    generator.message(MessageType.STREAM_DATA, forDevices(devices, sampleBody), perWrite);
  },
};

const aedes: Dialect = {
  contender: 'aedes',
  script: 'aedes-telemetry',
  connect: (generator, devices) =>
    generator.open({ first: forDevices(devices, (index) => connectPacket(index)), frames: 1 }),
  message(generator, devices, perWrite) {
    const bodies = forDevices(devices, (index) => publishBody(sampleTopic(index)));
    generator.message(PacketType.PUBLISH, bodies, perWrite);
  },
};

const raw: Dialect = {
  contender: 'raw frames',
  script: 'raw-telemetry',
  connect: (generator, devices) => generator.open({ first: forDevices(devices, rawSample), frames: 0 }),
  message(generator, devices, perWrite) {
    const body = rawSample().subarray(2);
    generator.message(
      MessageType.STREAM_DATA,
      forDevices(devices, () => body),
      perWrite,
    );
  },
};

/** Samples of many devices, to one who counts them in the server's own process. */
export const telemetrySuite: Suite = {
  name: NAME,
  title: TITLE,
  full: { rounds: 5, seconds: 1 },
  quick: { rounds: 3, seconds: 0.5 },
  async run(how) {
    const program = buildGenerator();
    return program === undefined ? skipped(NAME, TITLE, NO_GENERATOR) : measureAll(program, how);
  },
};

async function measureAll(
  program: GeneratorProgram,
  { rounds, seconds }: Thoroughness,
): Promise<SuiteResult> {
  const measurements = new Measurements();
  for (const devices of DEVICES) {
    await interleave(rounds, [raw, iotmp, aedes], (dialect) =>
      measureOne(program, dialect, devices, seconds, measurements),
    );
  }
  return {
    suite: NAME,
    title: TITLE,
    notes: [
      'IoTMP and raw messages are of 35 bytes, MQTT messages with the same values of 45.',
      'The subscriber of aedes gets bytes and does not parse them; that of iotmp gets the decoded value.',
      'One message a write: the generator needs a system call for each, and so does the reader.',
    ],
    rows: measurements.rows,
    ratios: DEVICES.flatMap((devices) => ratiosOf(measurements, devices)),
  };
}

async function measureOne(
  program: GeneratorProgram,
  dialect: Dialect,
  devices: number,
  seconds: number,
  measurements: Measurements,
): Promise<void> {
  const contender = await ContenderProcess.launch({ script: dialect.script, options: { devices } });
  const generator = new LoadGenerator(program, contender.port);
  await dialect.connect(generator, devices);
  const total = WARM_UP_S + seconds + 0.1;
  const note = async (kind: string, run: Promise<TrafficFigures>): Promise<void> => {
    const [interval, traffic] = await Promise.all([observe(contender, seconds), run]);
    measurements.add(`${kind}, ${devices} devices`, dialect.contender, metricsOf(interval, traffic));
  };
  // The load that leaves the most behind comes last.
  dialect.message(generator, devices, 1);
  await note('paced 100 k/s', generator.pace(total, PACE));
  await note('one a write', generator.flood(total));
  dialect.message(generator, devices, MANY);
  await note('many a write', generator.flood(total));
  await contender.stop();
  await generator.stop();
}

async function observe(contender: ContenderProcess, seconds: number): Promise<Interval> {
  await pause(WARM_UP_S);
  const before = await contender.mark();
  await pause(seconds);
  return between(before, await contender.mark());
}

function metricsOf(interval: Interval, traffic: TrafficFigures): Record<string, number> {
  return {
    'messages/s': interval.perSecond,
    'CPU s/million': interval.cpuPerMillion,
    'CPU share': interval.cpuShare,
    'load CPU share': traffic.cpu / traffic.seconds,
    'loop delay p99 ms': interval.loopDelayMs,
    'RSS MB': interval.rssMb,
  };
}

function ratiosOf(measurements: Measurements, devices: number): Ratio[] {
  const ratio = (
    kind: string,
    metric: string,
    better: 'more' | 'less',
    peer: string,
    target?: number,
  ): Ratio[] => {
    const scenario = `${kind}, ${devices} devices`;
    const name = `${scenario}: ${metric} / ${peer}`;
    const what = { name, scenario, metric, better };
    return measurements.ratio(target === undefined ? what : { ...what, target }, 'iotmp', peer);
  };
  return [
    ...ratio('many a write', 'messages/s', 'more', 'aedes', 4),
    ...ratio('many a write', 'messages/s', 'more', 'raw frames'),
    ...ratio('one a write', 'messages/s', 'more', 'raw frames', 0.95),
    ...ratio('one a write', 'CPU s/million', 'less', 'aedes'),
    ...ratio('paced 100 k/s', 'CPU s/million', 'less', 'raw frames', 1.15),
    ...ratio('paced 100 k/s', 'CPU s/million', 'less', 'aedes'),
  ];
}
