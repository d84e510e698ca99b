import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GeneratorProgram } from '../harness/build-generator';
import { between, ContenderProcess } from '../harness/contender-process';
import { LoadGenerator } from '../harness/load-generator';
import { Measurements, ratioTo } from '../harness/measurements';
import type { Mark } from '../harness/messages';
import { pause } from '../harness/pause';
import { Core } from '../harness/pinning';
import { interleave } from '../harness/rounds';
import type { Ratio, Suite, SuiteResult, Thoroughness } from '../harness/suite';
import { forDevices } from '../wire/device-names';
import {
  acceptStream,
  answerDescribe,
  answerRun,
  connectMessage,
  MessageType,
  sampleBody,
} from '../wire/iotmp-wire';
import {
  answerKeyedCall,
  callTopic,
  connectPacket,
  groupedTopic,
  PacketType,
  publishBody,
  subscribePacket,
} from '../wire/mqtt-wire';
import { withGenerator } from './with-generator';

const NAME = 'node-red';
const TITLE = 'Through the flows of a Node-RED';
const DEVICES = 20;
const WARM_UP_S = 0.3;
/** So long a new process runs before anything is measured: until its code is compiled. */
const START_UP_S = 0.8;
const START_UP_PACE = 10_000;

/** The load that leaves the most behind comes last. */
const PACES: readonly { scenario: string; perSecond?: number }[] = [
  { scenario: '5 k/s', perSecond: 5_000 },
  { scenario: '10 k/s', perSecond: 10_000 },
  { scenario: '20 k/s', perSecond: 20_000 },
  { scenario: '30 k/s', perSecond: 30_000 },
  { scenario: 'flood' },
];

const CALLS = [
  { scenario: 'calls, 64 in flight', inFlight: 64 },
  { scenario: 'calls, one at a time', inFlight: 1 },
] as const;

/** Makes samples for some time, paced or as fast as they are taken. */
type Load = (seconds: number, perSecond: number | undefined) => Promise<unknown>;

/** How the load generator plays the devices of a flow. */
interface Dialect {
  connect(generator: LoadGenerator): Promise<unknown>;
  message(generator: LoadGenerator): void;
}

const iotmp: Dialect = {
  connect(generator) {
    for (const rule of [acceptStream, answerRun, answerDescribe]) generator.rule(rule);
    // The OK of the login and the START_STREAM of the server.
    return generator.open({ first: forDevices(DEVICES, connectMessage), frames: 2 });
  },
  message: (generator) => generator.message(MessageType.STREAM_DATA, forDevices(DEVICES, sampleBody)),
};

const mqtt: Dialect = {
  connect(generator) {
    generator.rule(answerKeyedCall);
    const first = forDevices(DEVICES, (index) =>
      Buffer.concat([connectPacket(index), subscribePacket(callTopic(index))]),
    );
    return generator.open({ first, frames: 2 });
  },
  message: (generator) =>
    generator.message(
      PacketType.PUBLISH,
      forDevices(DEVICES, (index) => publishBody(groupedTopic(index))),
    ),
};

/** A Node-RED and the world around it. */
interface Setting {
  readonly contender: string;
  readonly flow: 'iotmp' | 'mqtt' | 'alone';
  /** Absent where the flow makes its own load. */
  readonly dialect?: Dialect;
  readonly brokerOutside?: boolean;
}

const settings: readonly Setting[] = [
  { contender: 'node-red alone', flow: 'alone' },
  { contender: 'iotmp', flow: 'iotmp', dialect: iotmp },
  { contender: 'aedes', flow: 'mqtt', dialect: mqtt },
  { contender: 'aedes outside', flow: 'mqtt', dialect: mqtt, brokerOutside: true },
];

/** Samples into a function, and calls by a function, as users wire them. */
export const nodeRedSuite: Suite = withGenerator(
  {
    name: NAME,
    title: TITLE,
    full: { rounds: 3, seconds: 0.8 },
    quick: { rounds: 2, seconds: 0.4 },
  },
  measureAll,
);

async function measureAll(
  program: GeneratorProgram,
  { rounds, seconds }: Thoroughness,
): Promise<SuiteResult> {
  const measurements = new Measurements();
  await interleave(rounds, settings, async (setting) => {
    const directory = mkdtempSync(join(tmpdir(), 'iotmp-node-red-'));
    try {
      await measureOne(program, setting, directory, seconds, measurements);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
  return {
    suite: NAME,
    title: TITLE,
    notes: [
      `The flow: samples of ${DEVICES} devices to a function that counts them, and on to a debug node that is off. ` +
        'Calls: a function makes them, and another one takes the answers.',
      'iotmp: an iotmp-stream node for each device, an iotmp-call node. aedes: mqtt in and mqtt out, and the broker in ' +
        'the same process. aedes outside: the broker runs on the core of the load, which gives way to it. Its time counts only in the ' +
        'column that says so.',
      'node-red alone: a function sends the samples, by the millisecond where they are paced. It is what the flow costs ' +
        'without any messaging.',
    ],
    rows: measurements.rows,
    ratios: ratiosOf(measurements),
  };
}

async function measureOne(
  program: GeneratorProgram,
  setting: Setting,
  directory: string,
  seconds: number,
  measurements: Measurements,
): Promise<void> {
  const broker = setting.brokerOutside === true ? await launchBroker() : undefined;
  const options = { flow: setting.flow, devices: DEVICES, directory, brokerPort: broker?.port };
  const contender = await ContenderProcess.launch({ script: 'node-red', options });
  const { dialect } = setting;
  if (dialect === undefined) {
    const load: Load = (duration, perSecond) =>
      contender.ask<'feed'>({ name: 'feed', seconds: duration, perSecond });
    await load(START_UP_S, START_UP_PACE);
    await measureSamples({ contender }, load, setting.contender, seconds, measurements);
  } else {
    const generator = new LoadGenerator(program, contender.port);
    if (broker !== undefined) generator.giveWay();
    await dialect.connect(generator);
    dialect.message(generator);
    const load: Load = (duration, perSecond) =>
      perSecond === undefined ? generator.flood(duration) : generator.pace(duration, perSecond);
    await load(START_UP_S, START_UP_PACE);
    await measureCalls(contender, setting.contender, seconds, measurements);
    await measureSamples({ contender, broker }, load, setting.contender, seconds, measurements);
    await generator.stop();
  }
  await contender.stop();
  await broker?.stop();
}

function launchBroker(): Promise<ContenderProcess> {
  // Node-RED is a client, too.
  const options = { devices: DEVICES + 1 };
  return ContenderProcess.launch({ script: 'aedes-broker', options, core: Core.load });
}

async function measureCalls(
  contender: ContenderProcess,
  name: string,
  seconds: number,
  measurements: Measurements,
): Promise<void> {
  for (const { scenario, inFlight } of CALLS) {
    const figures = await contender.ask<'calls'>({ name: 'calls', devices: 1, inFlight, seconds });
    const { loopDelay, rss } = await contender.mark();
    measurements.add(scenario, name, {
      'calls/s': figures.calls / figures.seconds,
      'median us': figures.median,
      'p99 us': figures.p99,
      'CPU us/call': (figures.cpu / figures.calls) * 1e6,
      'loop delay p99 ms': loopDelay,
      'RSS MB': rss / 1e6,
    });
  }
}

async function measureSamples(
  processes: Processes,
  load: Load,
  name: string,
  seconds: number,
  measurements: Measurements,
): Promise<void> {
  for (const { scenario, perSecond } of PACES) {
    const [metrics] = await Promise.all([
      observe(processes, seconds),
      load(WARM_UP_S + seconds + 0.1, perSecond),
    ]);
    measurements.add(scenario, name, metrics);
  }
}

/** Whose processor time is measured. */
interface Processes {
  readonly contender: ContenderProcess;
  readonly broker?: ContenderProcess | undefined;
}

async function observe({ contender, broker }: Processes, seconds: number): Promise<Record<string, number>> {
  const mark = (): Promise<[Mark, Mark | undefined]> => Promise.all([contender.mark(), broker?.mark()]);
  await pause(WARM_UP_S);
  const [before, brokerBefore] = await mark();
  await pause(seconds);
  const [after, brokerAfter] = await mark();
  const interval = between(before, after);
  // Where nothing comes through at all, ratios are still to be numbers.
  const messages = Math.max(1, interval.messages);
  const brokerCpu = (brokerAfter?.cpu ?? 0) - (brokerBefore?.cpu ?? 0);
  return {
    'messages/s': messages / interval.seconds,
    'CPU us/message': (after.cpu - before.cpu) / messages,
    'CPU us/message with broker': (after.cpu - before.cpu + brokerCpu) / messages,
    'CPU share': interval.cpuShare,
    'loop delay p99 ms': interval.loopDelayMs,
    'longest loop delay ms': interval.longestDelayMs,
    'RSS MB': interval.rssMb,
  };
}

function ratiosOf(measurements: Measurements): Ratio[] {
  const ratio = ratioTo(measurements);
  const [many, alone] = CALLS;
  return [
    ...['aedes', 'aedes outside'].flatMap((peer) => [
      ...ratio('10 k/s', 'CPU us/message', 'less', peer, 1),
      ...ratio('20 k/s', 'CPU us/message', 'less', peer, 1),
      // All of them come, or not: a message more or less at the ends of the interval means nothing.
      ...ratio('30 k/s', 'messages/s', 'more', peer, 0.99),
      ...ratio('flood', 'messages/s', 'more', peer, 1),
      ...ratio('flood', 'CPU us/message', 'less', peer, 1),
      ...ratio(alone.scenario, 'CPU us/call', 'less', peer, 1),
      ...ratio(many.scenario, 'calls/s', 'more', peer, 1),
      ...ratio(many.scenario, 'CPU us/call', 'less', peer, 1),
    ]),
    ...ratio('20 k/s', 'CPU us/message with broker', 'less', 'aedes outside'),
    ...ratio('20 k/s', 'CPU us/message', 'less', 'node-red alone'),
    ...ratio('flood', 'CPU us/message', 'less', 'node-red alone'),
  ];
}
