import { isMap } from '../../types';
import type { SubscriptionRequest } from './event-subscription';
import type { ServiceStream } from '../service';
import { badRequest } from '../service-name';

/** The events that stand for the types of a named resource; `event` is the one that the resource names. */
const EVENT_OF_TYPE: ReadonlyMap<unknown, string> = new Map([
  ['mqtt', 'device_topic_publish'],
  ['device', 'device_resource_stream'],
]);

/**
 * Reads what a START_STREAM for service 8 asks for (`protocol.md` section 7): parameters with an `event`, a name alone
 * (dialect B), or a named resource with parameters `{"type": "mqtt"|"event"|"device"}`, where the resource is the
 * topic, the event or the resource of the device.
 * @throws IotmpError IOTMP_ERR_PROTOCOL
 */
export function subscriptionRequest({ path, parameters }: ServiceStream): SubscriptionRequest {
  if (typeof parameters === 'string') return { event: parameters, parameters: { event: parameters } };
  if (!isMap(parameters)) throw badRequest('{"event": name} expected');
  const { event, type } = parameters;
  if (typeof event === 'string') return { event, parameters };
  if (event !== undefined || path === '') throw badRequest('{"event": name} expected');
  if (type === 'event') return { event: path, parameters: { ...parameters, event: path } };
  const ofType = EVENT_OF_TYPE.get(type);
  if (ofType === undefined) throw badRequest('type must be "mqtt", "event" or "device"');
  return {
    event: ofType,
    parameters: { scope: 'subscribe', ...parameters, event: ofType, topic: path, resource: path },
  };
}
