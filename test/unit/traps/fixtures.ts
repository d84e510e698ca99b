import type { ServerOptions } from '../../../src/broker/broker-options';
import type { HubSubscription } from '../../../src/broker/hub/stream-hub';
import { BrokerBench, PUMP } from '../support/broker-fixture';
import { RawDevice, type RawDeviceOptions } from '../support/raw-device';

/** A server, and a device of one kind that is let in. */
export interface Play {
  readonly bench: BrokerBench;
  readonly device: RawDevice;
}

/** Plays a device of the Linux library, in memory. */
export async function playLinux(options?: ServerOptions): Promise<Play> {
  return play({ dialect: 'linux', intervals: 'map' }, options);
}

/** Plays firmware of a microcontroller, in memory. */
export async function playMicro(
  firmware: Partial<RawDeviceOptions> = {},
  options?: ServerOptions,
): Promise<Play> {
  return play({ dialect: 'micro', intervals: 'both', ...firmware }, options);
}

async function play(firmware: Partial<RawDeviceOptions>, options?: ServerOptions): Promise<Play> {
  const bench = await BrokerBench.start(options);
  return { bench, device: await bench.device(firmware) };
}

/** The connection breaks, and the same device comes back with what it kept. */
export async function comeBack({ bench, device }: Play): Promise<RawDevice> {
  device.wire.cut();
  await device.closed;
  await bench.clock.settle();
  const again = new RawDevice(bench.memory(), device.options);
  for (const [name, resource] of device.resources) again.resources.set(name, resource);
  again.serves = device.serves;
  again.connect();
  await again.next();
  await bench.clock.settle();
  return again;
}

/** A subscriber to a resource of the device that is played; it writes down what it hears. */
export interface Ear {
  readonly samples: unknown[];
  readonly states: string[];
  readonly subscription: HubSubscription;
}

export function listen(bench: BrokerBench, resource: string, intervalMs: number): Ear {
  const samples: unknown[] = [];
  const states: string[] = [];
  const subscription = bench.server.subscribe(PUMP, resource, {
    intervalMs,
    onSample: (sample) => samples.push(sample),
    onState: ({ kind }) => states.push(kind),
  });
  return { samples, states, subscription };
}
