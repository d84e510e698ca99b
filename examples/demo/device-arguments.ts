import { parseArgs } from 'node:util';
import { DEMO_HOST, DEMO_PORT, type DemoDevice } from './demo-devices';
import { portNumber } from './port-number';

/** Where a simulated device connects to, and as whom. */
export interface DeviceArguments extends DemoDevice {
  readonly host: string;
  readonly port: number;
}

const USAGE = `Options (or environment variables):
  --host        (IOTMP_HOST)        host name or IP address of the server
  --port        (IOTMP_PORT)        its TCP port
  --user        (IOTMP_USER)        as registered on the server
  --device      (IOTMP_DEVICE)
  --credential  (IOTMP_CREDENTIAL)`;

/**
 * Reads the command line and the environment of a device program. What is given nowhere is that of the demo flow.
 * Ends the program with code 2 when something is wrong.
 */
export function deviceArguments(defaults: DemoDevice): DeviceArguments {
  try {
    return readArguments(defaults);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exit(2);
  }
}

function readArguments(defaults: DemoDevice): DeviceArguments {
  const option = { type: 'string' } as const;
  const { values } = parseArgs({
    options: { host: option, port: option, user: option, device: option, credential: option },
  });
  const { env } = process;
  return {
    host: values.host ?? env.IOTMP_HOST ?? DEMO_HOST,
    port: portNumber(values.port ?? env.IOTMP_PORT ?? String(DEMO_PORT)),
    user: values.user ?? env.IOTMP_USER ?? defaults.user,
    device: values.device ?? env.IOTMP_DEVICE ?? defaults.device,
    credential: values.credential ?? env.IOTMP_CREDENTIAL ?? defaults.credential,
  };
}
