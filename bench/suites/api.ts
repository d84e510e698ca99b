import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GeneratorProgram } from '../harness/build-generator';
import { between, ContenderProcess } from '../harness/contender-process';
import { launchContender, MOSQUITTO } from '../harness/launch';
import { freePort } from '../harness/listen';
import { LoadGenerator } from '../harness/load-generator';
import { Measurements, ratioTo } from '../harness/measurements';
import { mosquittoProgram, NO_MOSQUITTO } from '../harness/mosquitto-process';
import { pause } from '../harness/pause';
import { Core } from '../harness/pinning';
import { interleave } from '../harness/rounds';
import type { Ratio, Suite, SuiteResult, Thoroughness } from '../harness/suite';
import { forDevices } from '../wire/device-names';
import {
  BUCKET_PATH,
  FLOW_PATH,
  getRequest,
  HEALTH_PATH,
  PROPERTY_PATH,
  RESOURCE_PATH,
} from '../wire/http-wire';
import {
  acceptStream,
  answerDescribe,
  answerRun,
  connectMessage,
  MessageType,
  rawSample,
  sampleBody,
} from '../wire/iotmp-wire';
import { mqttRelay } from './relay';
import { withGenerator } from './with-generator';

const NAME = 'api';
const TITLE = 'The REST and WebSocket API';
const CONNECTIONS = [1, 64] as const;
/** Targets of the requests a second, to a bare server that asks the device over the same socket. */
const TARGETS = { 1: 0.5, 64: 0.6 } as const;
const WARM_UP_S = 0.5;

const RESOURCE_READ = 'resource of a device';
const ROUTES = [
  { route: RESOURCE_READ, path: RESOURCE_PATH },
  { route: 'property', path: PROPERTY_PATH },
  { route: 'last row of a bucket', path: BUCKET_PATH },
  { route: 'healthcheck', path: HEALTH_PATH },
] as const;

const FRAMES = { scenario: 'samples to 16 WebSockets', sockets: 16, perSecond: 1000 } as const;

/** A server of HTTP, and how its device is played. */
interface Dialect {
  readonly contender: string;
  readonly script: string;
  readonly flow?: string;
  readonly routes: readonly { readonly route: string; readonly path: string }[];
  readonly sendsFrames: boolean;
  readonly connect: (generator: LoadGenerator) => Promise<unknown>;
}

const connectDevice = (generator: LoadGenerator): Promise<unknown> => {
  for (const rule of [acceptStream, answerRun, answerDescribe]) generator.rule(rule);
  return generator.open({ first: forDevices(1, connectMessage), frames: 1 });
};

const dialects: readonly Dialect[] = [
  {
    contender: 'bare',
    script: 'bare-http',
    routes: ROUTES,
    sendsFrames: true,
    connect(generator) {
      generator.rule(answerRun);
      return generator.open({ first: forDevices(1, rawSample), frames: 0 });
    },
  },
  { contender: 'iotmp', script: 'iotmp-http', routes: ROUTES, sendsFrames: true, connect: connectDevice },
  {
    contender: 'http in',
    script: 'node-red',
    flow: 'http',
    routes: [{ route: RESOURCE_READ, path: FLOW_PATH }],
    sendsFrames: false,
    connect: connectDevice,
  },
];

const brokers = [
  { contender: 'aedes', script: 'aedes-relay' },
  ...(mosquittoProgram === undefined ? [] : [{ contender: 'Mosquitto', script: MOSQUITTO }]),
];

/** Programs that read over HTTP, and over WebSockets. */
export const apiSuite: Suite = withGenerator(
  { name: NAME, title: TITLE, full: { rounds: 5, seconds: 0.8 }, quick: { rounds: 3, seconds: 0.4 } },
  measureAll,
);

async function measureAll(
  program: GeneratorProgram,
  { rounds, seconds }: Thoroughness,
): Promise<SuiteResult> {
  const measurements = new Measurements();
  const runs = [
    ...dialects.map((dialect) => () => measureServer(program, dialect, seconds, measurements)),
    ...brokers.map((broker) => () => measureBroker(program, broker, seconds, measurements)),
  ];
  await interleave(rounds, runs, (run) => run());
  return {
    suite: NAME,
    title: TITLE,
    notes: [
      'Each connection has one request under way. The bare server knows no tokens, asks the device over a bare socket for the resource, and answers all other requests at once.',
      'http in: the nodes http in, iotmp-call and http response of a Node-RED, without a token. aedes and Mosquitto: a client asks another one over two topics; there are as many questions under way as there are connections elsewhere.',
      `Frames: ${FRAMES.perSecond} samples a second of one device, each to ${FRAMES.sockets} sockets; the bare server sends a text that it has made before.`,
      ...(mosquittoProgram === undefined ? [NO_MOSQUITTO] : []),
    ],
    rows: measurements.rows,
    ratios: ratiosOf(measurements),
  };
}

/** A server while it runs, with its device and a token. */
interface Running {
  readonly contender: ContenderProcess;
  readonly generator: LoadGenerator;
  readonly token: string;
}

async function measureServer(
  program: GeneratorProgram,
  { contender: name, script, flow, routes, sendsFrames, connect }: Dialect,
  seconds: number,
  measurements: Measurements,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'iotmp-api-'));
  try {
    const devicePort = await freePort();
    const options = { devicePort, devices: 1, directory, flow };
    const contender = await ContenderProcess.launch({ script, options });
    const generator = new LoadGenerator(program, devicePort);
    await connect(generator);
    const running = { contender, generator, token: await contender.ask<'token'>({ name: 'token' }) };
    for (const { route, path } of routes) {
      for (const connections of CONNECTIONS) {
        const figures = await measureRequests(running, path, connections, seconds);
        measurements.add(scenarioOf(route, connections), name, figures);
      }
    }
    if (sendsFrames) measurements.add(FRAMES.scenario, name, await measureFrames(running, seconds));
    await contender.stop();
    await generator.stop();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function measureRequests(
  { contender, token }: Running,
  path: string,
  connections: number,
  seconds: number,
): Promise<Record<string, number>> {
  const options = { port: contender.port, request: getRequest(path, token), connections };
  const load = await ContenderProcess.launch({ script: 'http-load', options, core: Core.load });
  const requests = load.ask<'calls'>({ name: 'calls', devices: connections, inFlight: 1, seconds });
  await pause(WARM_UP_S);
  const [before, loadBefore] = [await contender.mark(), await load.mark()];
  await pause(seconds);
  const [after, loadAfter] = [await contender.mark(), await load.mark()];
  const figures = await requests;
  await load.stop();
  return {
    'requests/s': figures.calls / figures.seconds,
    'median us': figures.median,
    'p99 us': figures.p99,
    'CPU us/request': (after.cpu - before.cpu) / Math.max(1, loadAfter.count - loadBefore.count),
    'load CPU share': figures.cpu / figures.seconds,
    'loop delay p99 ms': after.loopDelay,
    'RSS MB': after.rss / 1e6,
  };
}

async function measureFrames(
  { contender, generator, token }: Running,
  seconds: number,
): Promise<Record<string, number>> {
  const options = { port: contender.port, path: RESOURCE_PATH, token, connections: FRAMES.sockets };
  const load = await ContenderProcess.launch({ script: 'socket-load', options, core: Core.load });
  generator.message(MessageType.STREAM_DATA, forDevices(1, sampleBody));
  const sending = generator.pace(WARM_UP_S + seconds + 0.1, FRAMES.perSecond);
  await pause(WARM_UP_S);
  const [before, loadBefore] = [await contender.mark(), await load.mark()];
  await pause(seconds);
  const [after, loadAfter] = [await contender.mark(), await load.mark()];
  await sending;
  await load.stop();
  const { messages: frames, seconds: lasted } = between(loadBefore, loadAfter);
  return {
    'frames/s': frames / lasted,
    'CPU us/frame': (after.cpu - before.cpu) / Math.max(1, frames),
    'loop delay p99 ms': after.loopDelay,
  };
}

/** The same question over a broker. */
async function measureBroker(
  program: GeneratorProgram,
  { contender: name, script }: (typeof brokers)[number],
  seconds: number,
  measurements: Measurements,
): Promise<void> {
  const contender = await launchContender({ script, options: { devices: 2 } });
  const generator = new LoadGenerator(program, contender.port);
  await mqttRelay.connect(generator);
  generator.rule(mqttRelay.again);
  let begun = 0;
  for (const inFlight of CONNECTIONS) {
    // Those of the scenario before go on.
    generator.send(forDevices(inFlight - begun, () => mqttRelay.call(++begun)));
    await generator.relay(WARM_UP_S);
    const before = await contender.mark();
    const { returned, seconds: lasted, cpu, median, p99 } = await generator.relay(seconds);
    const after = await contender.mark();
    measurements.add(scenarioOf(RESOURCE_READ, inFlight), name, {
      'requests/s': returned / lasted,
      'median us': inFlight === 1 ? median : NaN,
      'p99 us': inFlight === 1 ? p99 : NaN,
      'CPU us/request': (after.cpu - before.cpu) / Math.max(1, returned),
      'load CPU share': cpu / lasted,
      'loop delay p99 ms': after.loopDelay,
      'RSS MB': after.rss / 1e6,
    });
  }
  await contender.stop();
  await generator.stop();
}

function scenarioOf(route: string, connections: number): string {
  return `${route}, ${connections} connection${connections === 1 ? '' : 's'}`;
}

function ratiosOf(measurements: Measurements): Ratio[] {
  const ratio = ratioTo(measurements);
  // The other routes have no device to wait for: their figures are in the table.
  const requests = CONNECTIONS.flatMap((connections) => {
    const scenario = scenarioOf(RESOURCE_READ, connections);
    return [
      ...ratio(scenario, 'requests/s', 'more', 'bare', TARGETS[connections]),
      ...ratio(scenario, 'CPU us/request', 'less', 'bare'),
    ];
  });
  const peers = ['http in', ...brokers.map(({ contender }) => contender)];
  return [
    ...requests,
    ...peers.flatMap((peer) =>
      CONNECTIONS.flatMap((connections) =>
        ratio(scenarioOf(RESOURCE_READ, connections), 'CPU us/request', 'less', peer),
      ),
    ),
    ...ratio(FRAMES.scenario, 'CPU us/frame', 'less', 'bare'),
  ];
}
