import type { GeneratorProgram } from '../harness/build-generator';
import { Measurements } from '../harness/measurements';
import { interleave } from '../harness/rounds';
import type { Ratio, Suite, SuiteResult, Thoroughness } from '../harness/suite';
import { forDevices } from '../wire/device-names';
import { connectPacket, PacketType, publishBody, sampleTopic } from '../wire/mqtt-wire';
import { withGenerator } from './with-generator';
import {
  iotmpTelemetry,
  Load,
  measureTelemetry,
  rawTelemetry,
  telemetryScenario,
  type TelemetryDialect,
} from './telemetry-load';

const DEVICES = [50, 1000] as const;

const NAME = 'telemetry';
const TITLE = 'Telemetry to a subscriber in the process';

const aedes: TelemetryDialect = {
  contender: 'aedes',
  script: 'aedes-telemetry',
  transport: 'tcp',
  connect: (generator, devices) =>
    generator.open({ first: forDevices(devices, (index) => connectPacket(index)), frames: 1 }),
  message(generator, devices, perWrite) {
    const bodies = forDevices(devices, (index) => publishBody(sampleTopic(index)));
    generator.message(PacketType.PUBLISH, bodies, perWrite);
  },
};

const dialects = [rawTelemetry('raw frames', 'raw-telemetry', 'tcp'), iotmpTelemetry('tcp'), aedes];

/** Samples of many devices, to one who counts them in the server's own process. */
export const telemetrySuite: Suite = withGenerator(
  {
    name: NAME,
    title: TITLE,
    full: { rounds: 5, seconds: 0.7 },
    quick: { rounds: 3, seconds: 0.5 },
  },
  measureAll,
);

async function measureAll(
  program: GeneratorProgram,
  { rounds, seconds }: Thoroughness,
): Promise<SuiteResult> {
  const measurements = new Measurements();
  for (const devices of DEVICES) {
    await interleave(rounds, dialects, (dialect) =>
      measureTelemetry(program, dialect, devices, seconds, measurements),
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

function ratiosOf(measurements: Measurements, devices: number): Ratio[] {
  const ratio = (
    kind: string,
    metric: string,
    better: 'more' | 'less',
    peer: string,
    target?: number,
  ): Ratio[] => {
    const scenario = telemetryScenario(kind, devices);
    const name = `${scenario}: ${metric} / ${peer}`;
    const what = { name, scenario, metric, better };
    return measurements.ratio(target === undefined ? what : { ...what, target }, 'iotmp', peer);
  };
  return [
    ...ratio(Load.many, 'messages/s', 'more', 'aedes', 4),
    ...ratio(Load.many, 'messages/s', 'more', 'raw frames'),
    ...ratio(Load.one, 'messages/s', 'more', 'raw frames', 0.95),
    ...ratio(Load.one, 'CPU s/million', 'less', 'aedes'),
    ...ratio(Load.paced, 'CPU s/million', 'less', 'raw frames', 1.15),
    ...ratio(Load.paced, 'CPU s/million', 'less', 'aedes'),
  ];
}
