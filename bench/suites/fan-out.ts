import type { GeneratorProgram } from '../harness/build-generator';
import { launchContender, MOSQUITTO } from '../harness/launch';
import { LoadGenerator } from '../harness/load-generator';
import { Measurements, ratioTo } from '../harness/measurements';
import { mosquittoProgram, NO_MOSQUITTO } from '../harness/mosquitto-process';
import { interleave } from '../harness/rounds';
import type { Suite, SuiteResult, Thoroughness } from '../harness/suite';
import { forDevices } from '../wire/device-names';
import {
  acceptStream,
  connectMessage,
  MessageType,
  OFFERED,
  rawSample,
  sampleBody,
  subscribeMessage,
} from '../wire/iotmp-wire';
import { connectPacket, FEED_TOPIC, PacketType, publishBody, subscribePacket } from '../wire/mqtt-wire';
import { withGenerator } from './with-generator';

const NAME = 'fan-out';
const TITLE = 'One stream out to 1,000 subscribers';
const SUBSCRIBERS = 1000;
/** The first connection publishes. */
const CONNECTIONS = SUBSCRIBERS + 1;
const WARM_UP_S = 0.5;

const BATCHES = [
  { scenario: 'one sample at a time', batch: 1 },
  { scenario: '16 outstanding', batch: 16 },
] as const;

/** How publisher and subscribers of a contender are played. */
interface Dialect {
  readonly contender: string;
  readonly script: string;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly type: number;
  readonly body: Buffer;
  connect(generator: LoadGenerator): Promise<unknown>;
}

const connectRaw = (generator: LoadGenerator): Promise<unknown> =>
  // One at a time: the first to come is the publisher.
  generator.open({ first: forDevices(CONNECTIONS, rawSample), frames: 0, window: 1 });

const raw = { type: MessageType.STREAM_DATA, body: rawSample().subarray(2), connect: connectRaw };

const mqtt = {
  type: PacketType.PUBLISH,
  body: publishBody(FEED_TOPIC),
  connect(generator: LoadGenerator): Promise<unknown> {
    const first = forDevices(CONNECTIONS, (index) =>
      index === 0
        ? Buffer.concat([connectPacket(index), subscribePacket('none')])
        : Buffer.concat([connectPacket(index), subscribePacket(FEED_TOPIC)]),
    );
    return generator.open({ first, frames: 2 });
  },
};

const dialects: readonly Dialect[] = [
  { contender: 'raw, a write per frame', script: 'raw-fan-out', ...raw },
  { contender: 'raw, coalesced', script: 'raw-fan-out', options: { coalesce: true }, ...raw },
  {
    contender: 'iotmp',
    script: 'iotmp-fan-out',
    type: MessageType.STREAM_DATA,
    body: sampleBody(),
    connect(generator) {
      generator.rule(acceptStream);
      const first = forDevices(CONNECTIONS, (index) =>
        index === 0
          ? connectMessage(index)
          : Buffer.concat([connectMessage(index), subscribeMessage(OFFERED)]),
      );
      return generator.open({ first, frames: 2 });
    },
  },
  { contender: 'aedes', script: 'aedes-fan-out', ...mqtt },
  ...(mosquittoProgram === undefined ? [] : [{ contender: 'Mosquitto', script: MOSQUITTO, ...mqtt }]),
];

/** A device's samples, passed on to many: the next ones come when the last subscriber has the ones before. */
export const fanOutSuite: Suite = withGenerator(
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
  const [alone, many] = BATCHES.map(({ scenario }) => (metric: string, peer: string, target?: number) => {
    const better = metric === 'deliveries/s' ? ('more' as const) : ('less' as const);
    return ratioTo(measurements)(scenario, metric, better, peer, target);
  });
  return {
    suite: NAME,
    title: TITLE,
    notes: [
      '16 outstanding: 16 samples come in one write, and the next 16 when all have been delivered.',
      ...(mosquittoProgram === undefined ? [NO_MOSQUITTO] : []),
    ],
    rows: measurements.rows,
    ratios: [
      ...(alone?.('deliveries/s', 'aedes', 1.7) ?? []),
      ...(alone?.('deliveries/s', 'raw, a write per frame') ?? []),
      ...(alone?.('CPU s/million', 'aedes') ?? []),
      ...(alone?.('deliveries/s', 'Mosquitto') ?? []),
      ...(many?.('deliveries/s', 'aedes', 8) ?? []),
      ...(many?.('deliveries/s', 'raw, coalesced') ?? []),
      ...(many?.('CPU s/million', 'aedes') ?? []),
      ...(many?.('deliveries/s', 'Mosquitto') ?? []),
    ],
  };
}

async function measureOne(
  program: GeneratorProgram,
  dialect: Dialect,
  seconds: number,
  measurements: Measurements,
): Promise<void> {
  const options = { devices: CONNECTIONS, ...dialect.options };
  const contender = await launchContender({ script: dialect.script, options });
  const generator = new LoadGenerator(program, contender.port);
  await dialect.connect(generator);
  const bodies = forDevices(CONNECTIONS, () => dialect.body);
  for (const { scenario, batch } of BATCHES) {
    generator.message(dialect.type, bodies, batch);
    await generator.fan(WARM_UP_S);
    const before = await contender.mark();
    const traffic = await generator.fan(seconds);
    const after = await contender.mark();
    measurements.add(scenario, dialect.contender, {
      'deliveries/s': traffic.received / traffic.seconds,
      'CPU s/million': (after.cpu - before.cpu) / traffic.received,
      'load CPU share': traffic.cpu / traffic.seconds,
      'loop delay p99 ms': after.loopDelay,
      'RSS MB': after.rss / 1e6,
    });
  }
  await contender.stop();
  await generator.stop();
}
