import type { IotmpServer } from '../../broker/broker';
import { IotmpError } from '../../errors';
import { isMap, type Value } from '../../types';
import { callTarget, type CallTarget } from '../call-target';
import type { EventSource, EventSubscription } from './event-subscription';
import { badRequest } from '../service-name';

/** A stream of a resource, as a device asked for it. */
interface Wish {
  readonly target: CallTarget;
  readonly intervalMs: number;
  /** What the device gets of a sample. */
  readonly wrap: (sample: Value | undefined) => unknown;
}

/** Fastest that a device may have another one sample, in ms. */
const MIN_INTERVAL_MS = 100;

/**
 * Streams of another device's resource, through the server's hub: they wait for a device that is away, and share its
 * stream with all others. In two forms (`protocol.md` section 7): a named resource with `{"type": "device", "id":
 * device, "interval": s}`, which gives the samples as they are, and the event `device_resource_stream` with
 * `{"filters": {"device", "resource"}, "params": {"interval": ms}}`, which gives each as an event. What the subscriber
 * sends goes to the resource.
 */
export class DeviceStreams implements EventSource {
  readonly #server: IotmpServer;

  constructor(server: IotmpServer) {
    this.#server = server;
  }

  open(subscription: EventSubscription): void {
    const { target, intervalMs, wrap } = wishOf(subscription);
    const { caller } = subscription;
    if (target.user !== caller.user) {
      throw new IotmpError('IOTMP_ERR_FORBIDDEN', 'only devices of the same user can be streamed');
    }
    if (target.device === caller.device) {
      throw new IotmpError('IOTMP_ERR_LOOP', 'a device cannot stream itself');
    }
    const stream = this.#server.subscribe(target, target.resource, {
      intervalMs,
      onSample: (sample) => subscription.deliver(wrap(sample)),
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

/** 0 is each change. */
function intervalOf(interval: Value, unitMs: number): number {
  if (typeof interval !== 'number' || !(interval >= 0)) throw badRequest('interval must be 0 or more');
  return interval === 0 ? 0 : Math.max(MIN_INTERVAL_MS, interval * unitMs);
}

function sampleEvent({ user, device, resource }: CallTarget, sample: Value | undefined): unknown {
  const event = 'device_resource_stream';
  return { event, user, device, ts: Date.now(), resource, payload: sample ?? null, signal: 'data' };
}
