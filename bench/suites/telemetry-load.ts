import type { GeneratorProgram } from '../harness/build-generator';
import { between, ContenderProcess, type Interval } from '../harness/contender-process';
import { LoadGenerator, type LoadTransport, type TrafficFigures } from '../harness/load-generator';
import type { Measurements } from '../harness/measurements';
import { pause } from '../harness/pause';
import { forDevices } from '../wire/device-names';
import { acceptStream, connectMessage, MessageType, rawSample, sampleBody } from '../wire/iotmp-wire';

/** As many messages as 16 KB hold. */
const MANY = 400;
const PACE = 100_000;
const WARM_UP_S = 0.5;

/** What is measured, in this order: the load that leaves the most behind comes last. */
export const Load = { paced: 'paced 100 k/s', one: 'one a write', many: 'many a write' } as const;

/** How the load generator speaks to a contender. */
export interface TelemetryDialect {
  readonly contender: string;
  readonly script: string;
  readonly transport: LoadTransport;
  connect(generator: LoadGenerator, devices: number): Promise<unknown>;
  message(generator: LoadGenerator, devices: number, perWrite: number): void;
}

/** The library, over a transport. */
export function iotmpTelemetry(transport: LoadTransport): TelemetryDialect {
  return {
    contender: 'iotmp',
    script: 'iotmp-telemetry',
    transport,
    connect(generator, devices) {
      generator.rule(acceptStream);
      // The OK of the login and the START_STREAM of the server.
      return generator.open({ first: forDevices(devices, connectMessage), frames: 2 });
    },
    message(generator, devices, perWrite) {
      generator.message(MessageType.STREAM_DATA, forDevices(devices, sampleBody), perWrite);
    },
  };
}

/** One that only counts what comes over a transport. */
export function rawTelemetry(contender: string, script: string, transport: LoadTransport): TelemetryDialect {
  return {
    contender,
    script,
    transport,
    connect: (generator, devices) => generator.open({ first: forDevices(devices, rawSample), frames: 0 }),
    message(generator, devices, perWrite) {
      const body = rawSample().subarray(2);
      const bodies = forDevices(devices, () => body);
      generator.message(MessageType.STREAM_DATA, bodies, perWrite);
    },
  };
}

/** Name of a load as a scenario. */
export function telemetryScenario(load: string, devices: number): string {
  return `${load}, ${devices} devices`;
}

/** Measures one contender under all loads. */
export async function measureTelemetry(
  program: GeneratorProgram,
  dialect: TelemetryDialect,
  devices: number,
  seconds: number,
  measurements: Measurements,
): Promise<void> {
  const { script, transport } = dialect;
  const contender = await ContenderProcess.launch({ script, options: { devices, transport } });
  const generator = new LoadGenerator(program, contender.port, transport);
  await dialect.connect(generator, devices);
  const total = WARM_UP_S + seconds + 0.1;
  const note = async (load: string, run: Promise<TrafficFigures>): Promise<void> => {
    const [interval, traffic] = await Promise.all([observe(contender, seconds), run]);
    const scenario = telemetryScenario(load, devices);
    measurements.add(scenario, dialect.contender, metricsOf(interval, traffic));
  };
  dialect.message(generator, devices, 1);
  await note(Load.paced, generator.pace(total, PACE));
  await note(Load.one, generator.flood(total));
  dialect.message(generator, devices, MANY);
  await note(Load.many, generator.flood(total));
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
