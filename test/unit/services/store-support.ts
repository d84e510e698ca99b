import type { ServerEvent } from '../../../src/broker/event-feed';
import type { ServicesOptions } from '../../../src/services/server-services';
import { message, psonField, Type, varintField } from '../support/raw-message';
import { LAMP } from '../support/broker-fixture';
import type { RawDevice } from '../support/raw-device';
import { answerTo, ServicesBench } from './support';

/** A server with services, two devices of one user, and the events that are not about their coming and going. */
export interface Scene {
  readonly bench: ServicesBench;
  readonly pump: RawDevice;
  readonly lamp: RawDevice;
  readonly events: ServerEvent[];
  /** The events so far, without their times; they are forgotten. */
  readonly takeEvents: () => Record<string, unknown>[];
}

export async function scene(options: ServicesOptions = {}): Promise<Scene> {
  const bench = await ServicesBench.start(options);
  const pump = await bench.broker.device();
  const lamp = await bench.broker.device(LAMP);
  const events: ServerEvent[] = [];
  bench.broker.server.events.listen((event) => {
    if (event.event !== 'device_state_change') events.push(event);
  });
  const takeEvents = (): Record<string, unknown>[] =>
    events.splice(0).map(({ ts: _, ...fields }) => ({ ...fields }));
  return { bench, pump, lamp, events, takeEvents };
}

/** A START_STREAM for a property. */
export function propertyStart(id: number, property: unknown, current?: boolean): Buffer {
  const parameters = {
    event: 'device_property_update',
    filters: { property },
    ...(current !== undefined && { current }),
  };
  return message(Type.START_STREAM, varintField(1, id), psonField(2, parameters), varintField(4, 8));
}

/** Sends what a real device sent, and gives the answer. */
export async function replay(
  device: RawDevice,
  request: { bytes: Buffer; id: number | undefined },
): Promise<unknown[]> {
  device.send(request.bytes);
  if (request.id === undefined) {
    await device.barrier();
    return [];
  }
  const { type, parameters, payload } = await answerTo(device, request.id);
  return [type === Type.OK ? 'OK' : 'ERROR', parameters, payload];
}

/** The payloads of a stream's samples so far. */
export function samples(device: RawDevice, id: number): unknown[] {
  return device.all(Type.STREAM_DATA).flatMap((one) => (one.id === id ? [one.payload] : []));
}
