import type { GeneratorProgram } from '../harness/build-generator';
import { between, ContenderProcess } from '../harness/contender-process';
import { possibleConnections, tooFewDescriptors } from '../harness/descriptors';
import { LoadGenerator } from '../harness/load-generator';
import { Measurements } from '../harness/measurements';
import { interleave } from '../harness/rounds';
import type { Check, Ratio, Suite, SuiteResult, Thoroughness } from '../harness/suite';
import { forDevices } from '../wire/device-names';
import { connectMessage, MessageType, rawSample } from '../wire/iotmp-wire';
import { anonymousPacket, PacketType } from '../wire/mqtt-wire';
import { withGenerator } from './with-generator';

const NAME = 'connections';
const TITLE = 'Idle devices';
const DEVICES = 10_000;
/** Devices that come and go before, so that what is compiled and allocated once is not counted for each. */
const WARM_UP_DEVICES = 200;
/** Connections that are being made at once. */
const WINDOW = 128;

/** Interval of the keep-alives, in s. A shorter one, scaled, would hide what it costs to wake an idle process. */
const KEEP_ALIVE_S = 60;

/** How the devices of a contender are played. */
interface Dialect {
  readonly contender: string;
  readonly script: string;
  /** What a device sends first; one frame is the answer. */
  first(index: number): Buffer;
  /** Type of the keep-alive, which has no body. */
  readonly keepAlive: number;
}

const dialects: readonly Dialect[] = [
  { contender: 'raw', script: 'raw-connections', first: rawSample, keepAlive: MessageType.KEEP_ALIVE },
  {
    contender: 'iotmp',
    script: 'iotmp-connections',
    first: connectMessage,
    keepAlive: MessageType.KEEP_ALIVE,
  },
  {
    contender: 'aedes, anonymous',
    script: 'aedes-connections',
    first: (index) => anonymousPacket(index, KEEP_ALIVE_S),
    keepAlive: PacketType.PINGREQ,
  },
];

/** What it costs to connect many devices, and to have them. */
export const connectionsSuite: Suite = withGenerator(
  {
    name: NAME,
    title: TITLE,
    full: { rounds: 5, seconds: 3 },
    quick: { rounds: 2, seconds: 2 },
  },
  measureAll,
);

async function measureAll(
  program: GeneratorProgram,
  { rounds, seconds }: Thoroughness,
): Promise<SuiteResult> {
  const measurements = new Measurements();
  const possible = possibleConnections();
  const devices = Math.min(DEVICES, possible);
  const scenario = `${devices.toLocaleString('en')} devices`;
  await interleave(rounds, dialects, async (dialect) => {
    measurements.add(scenario, dialect.contender, await measureOne(program, dialect, devices, seconds));
  });
  return {
    suite: NAME,
    title: TITLE,
    notes: [
      'Each device is logged in: iotmp checks its credential, aedes asks for none.',
      `Memory is what all devices add after garbage collection, when ${WARM_UP_DEVICES} others have come and gone.`,
      'It holds the objects, the sockets beneath them, and what the young generation of the heap has grown to.',
      `Keep-alives come every ${KEEP_ALIVE_S} s from each device: ${Math.round(devices / KEEP_ALIVE_S)} a second, evenly spread, measured for ${seconds} s.`,
      ...(devices < DEVICES ? [tooFewDescriptors(possible)] : []),
    ],
    rows: measurements.rows,
    ratios: ratiosOf(measurements, scenario),
    checks: checksOf(measurements, scenario),
  };
}

async function measureOne(
  program: GeneratorProgram,
  dialect: Dialect,
  devices: number,
  seconds: number,
): Promise<Record<string, number>> {
  const options = { devices: devices + WARM_UP_DEVICES, keepAliveS: KEEP_ALIVE_S };
  const { script } = dialect;
  const contender = await ContenderProcess.launch({ script, options, nodeArguments: ['--expose-gc'] });
  await comeAndGo(program, contender, dialect, devices);
  const generator = new LoadGenerator(program, contender.port);
  const memoryBefore = await contender.memory();
  const before = await contender.mark();
  const first = forDevices(devices, (index) => dialect.first(index));
  const openSeconds = await generator.open({ first, frames: 1, window: WINDOW });
  const opening = between(before, await contender.mark());
  const memory = await contender.memory();
  const keepAliveShare = await keepAlives(contender, generator, dialect, devices, seconds);
  await contender.stop();
  await generator.stop();
  return {
    'connects/s': devices / openSeconds,
    'CPU us each': (opening.cpuShare * opening.seconds * 1e6) / devices,
    'RSS KB each': (memory.rss - memoryBefore.rss) / devices / 1000,
    'objects KB each': (memory.objects - memoryBefore.objects) / devices / 1000,
    'keep-alive CPU %': keepAliveShare * 100,
    'loop delay p99 ms': opening.loopDelayMs,
  };
}

/** Devices of other names than those that are measured. */
async function comeAndGo(
  program: GeneratorProgram,
  contender: ContenderProcess,
  dialect: Dialect,
  firstName: number,
): Promise<void> {
  const generator = new LoadGenerator(program, contender.port);
  const first = forDevices(WARM_UP_DEVICES, (index) => dialect.first(firstName + index));
  await generator.open({ first, frames: 1, window: WINDOW });
  await generator.stop();
}

/** Share of a core that is used while all devices send keep-alives at their interval, in turn. */
async function keepAlives(
  contender: ContenderProcess,
  generator: LoadGenerator,
  { contender: name, keepAlive }: Dialect,
  devices: number,
  seconds: number,
): Promise<number> {
  generator.message(
    keepAlive,
    forDevices(devices, () => Buffer.alloc(0)),
  );
  const before = await contender.mark();
  const { sent, received, failed } = await generator.pace(seconds, devices / KEEP_ALIVE_S);
  const after = await contender.mark();
  if (failed > 0 || after.count < devices) throw new Error(`${name} lost devices`);
  if (received < sent * 0.9) throw new Error(`${name} answered ${received} of ${sent} keep-alives`);
  return between(before, after).cpuShare;
}

function ratiosOf(measurements: Measurements, scenario: string): Ratio[] {
  const against = (peer: string): Ratio[] =>
    (
      [
        ['connects/s', 'more'],
        ['CPU us each', 'less'],
        ['RSS KB each', 'less'],
      ] as const
    ).flatMap(([metric, better]) =>
      measurements.ratio({ name: `${metric} / ${peer}`, scenario, metric, better }, 'iotmp', peer),
    );
  return [...against('raw'), ...against('aedes, anonymous')];
}

function checksOf(measurements: Measurements, scenario: string): Check[] {
  const check = (
    name: string,
    metric: string,
    unit: string,
    better: 'more' | 'less',
    target: number,
  ): Check[] => measurements.check({ name, unit, better, target }, { scenario, contender: 'iotmp', metric });
  return [
    ...check('resident memory of a device', 'RSS KB each', 'KB', 'less', 10),
    ...check('devices that log in', 'connects/s', 'a second', 'more', 10_000),
    ...check('keep-alives of all devices', 'keep-alive CPU %', '% of a core', 'less', 5),
  ];
}
