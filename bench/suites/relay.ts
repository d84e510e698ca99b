import type { GeneratorProgram } from '../harness/build-generator';
import { launchContender, MOSQUITTO } from '../harness/launch';
import { LoadGenerator, type AnswerRule } from '../harness/load-generator';
import { Measurements, ratioTo } from '../harness/measurements';
import { mosquittoProgram, NO_MOSQUITTO } from '../harness/mosquitto-process';
import { interleave } from '../harness/rounds';
import type { Ratio, Suite, SuiteResult, Thoroughness } from '../harness/suite';
import { forDevices } from '../wire/device-names';
import { answerDescribe, answerRun, callAgain, connectMessage, relayedCall } from '../wire/iotmp-wire';
import {
  answerRelayedCall,
  callTopic,
  connectPacket,
  publishAgain,
  relayedCallPacket,
  REPLY_TOPIC,
  subscribePacket,
} from '../wire/mqtt-wire';
import { withGenerator } from './with-generator';

const NAME = 'relay';
const TITLE = 'Calls from one device to another';
/** The first connection calls, the other one answers. */
const DEVICES = 2;
const CALLED = 1;
const WARM_UP_S = 0.5;

const ALONE = 'one at a time';
const MANY = '64 in flight';
const SCENARIOS = [
  { scenario: ALONE, inFlight: 1 },
  { scenario: MANY, inFlight: 64 },
] as const;

/** How both devices of a contender are played. */
interface Dialect {
  readonly contender: string;
  readonly script: string;
  readonly options?: Readonly<Record<string, unknown>>;
  connect(generator: LoadGenerator): Promise<unknown>;
  /** A call under a number of its own. */
  call(number: number): Buffer;
  /** The next call after an answer. */
  readonly again: AnswerRule;
}

const iotmpCalls = {
  call: (number: number) => relayedCall(number, CALLED),
  again: callAgain(CALLED),
};

const raw = {
  ...iotmpCalls,
  connect(generator: LoadGenerator): Promise<unknown> {
    generator.rule(answerRun);
    return generator.open({ first: forDevices(DEVICES, () => Buffer.alloc(0)), frames: 0, window: 1 });
  },
};

/** A client that calls another one over a broker. */
export const mqttRelay = {
  connect(generator: LoadGenerator): Promise<unknown> {
    generator.rule(answerRelayedCall);
    const topics = [REPLY_TOPIC, callTopic(CALLED)];
    const first = topics.map((topic, index) => Buffer.concat([connectPacket(index), subscribePacket(topic)]));
    return generator.open({ first, frames: 2 });
  },
  call: (number: number) => relayedCallPacket(CALLED, number),
  again: publishAgain(CALLED),
};

const dialects: readonly Dialect[] = [
  { contender: 'raw, a write per frame', script: 'raw-relay', ...raw },
  { contender: 'raw, coalesced', script: 'raw-relay', options: { coalesce: true }, ...raw },
  {
    contender: 'iotmp',
    script: 'iotmp-relay',
    ...iotmpCalls,
    connect(generator) {
      generator.rule(answerRun);
      generator.rule(answerDescribe);
      return generator.open({ first: forDevices(DEVICES, connectMessage), frames: 1 });
    },
  },
  { contender: 'aedes', script: 'aedes-relay', ...mqttRelay },
  ...(mosquittoProgram === undefined ? [] : [{ contender: 'Mosquitto', script: MOSQUITTO, ...mqttRelay }]),
];

/** A device calls another one through the server, there and back over two connections. */
export const relaySuite: Suite = withGenerator(
  {
    name: NAME,
    title: TITLE,
    full: { rounds: 5, seconds: 0.8 },
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
    notes: [
      'Each answer leads to the next call at once. MQTT: the call is published to a topic of the device, the answer to one of the caller.',
      ...(mosquittoProgram === undefined ? [NO_MOSQUITTO] : []),
    ],
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
  const contender = await launchContender({ script: dialect.script, options });
  const generator = new LoadGenerator(program, contender.port);
  await dialect.connect(generator);
  generator.rule(dialect.again);
  let begun = 0;
  for (const { scenario, inFlight } of SCENARIOS) {
    // Those of the scenario before go on.
    generator.send(forDevices(inFlight - begun, () => dialect.call(++begun)));
    await generator.relay(WARM_UP_S);
    const before = await contender.mark();
    const figures = await generator.relay(seconds);
    const after = await contender.mark();
    const { returned, unanswered, median, p99 } = figures;
    if (returned === 0 || unanswered > 0) throw new Error(`${dialect.contender}: calls got lost`);
    measurements.add(scenario, dialect.contender, {
      'calls/s': returned / figures.seconds,
      // Of many in flight it is not known which one an answer belongs to.
      ...(inFlight === 1 ? { 'median us': median, 'p99 us': p99 } : {}),
      'CPU s/million': (after.cpu - before.cpu) / returned,
      'load CPU share': figures.cpu / figures.seconds,
      'loop delay p99 ms': after.loopDelay,
      'RSS MB': after.rss / 1e6,
    });
  }
  await contender.stop();
  await generator.stop();
}

function ratiosOf(measurements: Measurements): Ratio[] {
  const ratio = ratioTo(measurements);
  return [
    ...ratio(ALONE, 'median us', 'less', 'raw, a write per frame'),
    ...ratio(ALONE, 'median us', 'less', 'aedes'),
    ...ratio(ALONE, 'median us', 'less', 'Mosquitto'),
    ...ratio(MANY, 'calls/s', 'more', 'aedes', 2.5),
    ...ratio(MANY, 'calls/s', 'more', 'Mosquitto', 1),
    ...ratio(MANY, 'calls/s', 'more', 'raw, coalesced'),
    ...ratio(MANY, 'CPU s/million', 'less', 'aedes'),
  ];
}
