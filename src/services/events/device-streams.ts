import type { IotmpServer } from '../../broker/broker';
import { IotmpError } from '../../errors';
import { isMap, type Value } from '../../types';
import { resourceRequest, type DeviceResource } from '../../rights/device-request';
import { callTarget } from '../call-target';
import type { EventSource, EventSubscription } from './event-subscription';
import { badRequest } from '../service-name';

/** A device's request for a stream of a resource. */
interface Wish {
  readonly target: DeviceResource;
  readonly intervalMs: number;
  /** Makes the payload that the device gets for a sample. */
  readonly wrap: (sample: Value | undefined) => unknown;
}

/** The shortest interval that a device may ask another device for, in ms. */
const MIN_INTERVAL_MS = 100;

/**
 * Streams of another device's resource, through the server's hub. They wait for a device that is away, and share its
 * stream with all other subscribers. There are two forms (`protocol.md` section 7). A named resource with
 * `{"type": "device", "id": device, "interval": s}` sends the samples unchanged. The event `device_resource_stream` with
 * `{"filters": {"device", "resource"}, "params": {"interval": ms}}` sends each sample as an event. Data that the
 * subscriber sends goes to the resource.
 */
export class DeviceStreams implements EventSource {
  readonly #server: IotmpServer;

  constructor(server: IotmpServer) {
    this.#server = server;
  }

  open(subscription: EventSubscription): void {
    const { target, intervalMs, wrap } = wishOf(subscription);
    const { caller } = subscription;
    subscription.need(resourceRequest(caller, target));
    if (target.user === caller.user && target.device === caller.device) {
      throw new IotmpError('IOTMP_ERR_LOOP', 'a device cannot stream itself');
    }
    subscription.carrySamples();
    const stream = this.#server.subscribe(target, target.resource, {
      intervalMs,
      onSample: (sample) => void subscription.deliver(wrap(sample)),
    });
    subscription.onData = (payload) => stream.write(payload);
    subscription.onClose = () => stream.close();
  }
}

function wishOf({ parameters, caller }: EventSubscription): Wish {
  if (parameters.type === 'device') {
    const { id, interval = 0, resource } = parameters;
    const target = callTarget([nameOf(id, 'id'), nameOf(resource, 'resource')], caller);
    return { target, intervalMs: intervalOf(interval, 1000), wrap: (sample) => sample };
  }
  const filters = mapOf(parameters.filters);
  const { interval = 0 } = mapOf(parameters.params);
  const device = nameOf(filters.device, 'device');
  const target = callTarget([device, nameOf(filters.resource, 'resource')], caller);
  return { target, intervalMs: intervalOf(interval, 1), wrap: (sample) => sampleEvent(target, sample) };
}

function mapOf(value: Value | undefined): Readonly<Record<string, Value>> {
  return isMap(value) ? value : {};
}

function nameOf(value: Value | undefined, what: string): string {
  if (typeof value === 'string' && value !== '' && !value.includes('*')) return value;
  throw badRequest(`${what} must be one name`);
}

/** The interval in ms; 0 for each change. */
function intervalOf(interval: Value, unitMs: number): number {
  if (typeof interval !== 'number' || !(interval >= 0)) throw badRequest('interval must be 0 or more');
  return interval === 0 ? 0 : Math.max(MIN_INTERVAL_MS, interval * unitMs);
}

function sampleEvent({ user, device, resource }: DeviceResource, sample: Value | undefined): unknown {
  const event = 'device_resource_stream';
  return { event, user, device, ts: Date.now(), resource, payload: sample ?? null, signal: 'data' };
}
