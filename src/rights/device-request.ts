import { IotmpError } from '../errors';
import type { DeviceId } from '../types';

/** The owner of all devices that are let in without being registered. No registered device and no user has this name. */
export const ANONYMOUS_USER = 'anonymous';

/** A resource of a device. */
export interface DeviceResource extends DeviceId {
  readonly resource: string;
}

/**
 * The actions of devices that rules name. Actions that programs can take, too, have the names that tokens know.
 *
 * - `AccessDeviceResources`: to call or stream a resource of another device. The target is `user/device/resource`.
 * - `SubscribeEvents`: to hear of events. The target is the name of the event.
 * - `PublishTopic`, `SubscribeTopic`: the target is the topic or the filter. A rule on topics may have `+` and `#` as in MQTT.
 * - `CallEndpoint`, `WriteBucket`, `Lock`, `ReadProperty`, `UpdateProperty`: the target is the name of the endpoint, the bucket,
 *   the lock or the device's own property.
 */
export const deviceActions = [
  'AccessDeviceResources',
  'SubscribeEvents',
  'PublishTopic',
  'SubscribeTopic',
  'CallEndpoint',
  'WriteBucket',
  'Lock',
  'ReadProperty',
  'UpdateProperty',
] as const;

export type DeviceAction = (typeof deviceActions)[number];

/** The target of a request for all own properties of a device. No property has this name. */
export const ALL_PROPERTIES = '*';

/** What a device asks to do. */
export interface DeviceRequest {
  readonly who: DeviceId;
  readonly action: DeviceAction;
  /** The subject of the action; see {@link deviceActions}. */
  readonly target: string;
  /** The decision where no rule matches. */
  readonly isDefault: boolean;
}

/** The events of other devices of the user that any device may hear of. */
const SHARED_EVENTS: ReadonlySet<string> = new Set(['device_state_change', 'device_topic_publish']);

/** A call or a stream. By default a device reaches the devices of its user, but not what runs commands on them. */
export function resourceRequest(who: DeviceId, { user, device, resource }: DeviceResource): DeviceRequest {
  const path = plainPath(resource);
  const isDefault = user === who.user && user !== ANONYMOUS_USER && !isPrivate(path);
  return { who, action: 'AccessDeviceResources', target: `${user}/${device}/${path}`, isDefault };
}

/**
 * A subscription to an event. By default a device hears of itself, and of the state and the topics of its user's devices.
 * @param isOwn whether the subscription is to events of the device itself only
 */
export function eventRequest(who: DeviceId, event: string, isOwn: boolean): DeviceRequest {
  const isDefault = isOwn || (who.user !== ANONYMOUS_USER && SHARED_EVENTS.has(event));
  return { who, action: 'SubscribeEvents', target: event, isDefault };
}

/** An action on a thing that the devices of a user share, or on the device's own properties. Any device may do it by default. */
export function sharedRequest(who: DeviceId, action: DeviceAction, target: string): DeviceRequest {
  return { who, action, target, isDefault: true };
}

/** A question about what a device may do. */
export interface RightsQuestion {
  readonly action: DeviceAction;
  readonly target: string;
  /** Of events: whether they are to be about the device itself only. */
  readonly isOwn?: boolean;
}

/**
 * What a device needs for something, all of it: some events tell of topics and of its own properties.
 * @throws IotmpError IOTMP_ERR_PROTOCOL for a target that is no `user/device/resource` where it has to be one
 */
export function requestsFor(
  who: DeviceId,
  { action, target, isOwn = false }: RightsQuestion,
): readonly DeviceRequest[] {
  if (action === 'AccessDeviceResources') return [resourceRequest(who, resourceIn(target))];
  if (action !== 'SubscribeEvents') return [sharedRequest(who, action, target)];
  return [eventRequest(who, target, isOwn), ...contentRequests(who, target)];
}

/** What a device needs beside the event, for what the event tells: that of all topics, or of all its properties. */
export function contentRequests(who: DeviceId, event: string): readonly DeviceRequest[] {
  if (event === 'device_topic_publish') return [sharedRequest(who, 'SubscribeTopic', '#')];
  if (event === 'device_property_update') return [sharedRequest(who, 'ReadProperty', ALL_PROPERTIES)];
  return [];
}

/** Whether no rule allows a request: topics that begin with `$` are not for devices to publish. */
export function isNeverAllowed({ action, target }: DeviceRequest): boolean {
  return action === 'PublishTopic' && target.startsWith('$');
}

function resourceIn(target: string): DeviceResource {
  const [user = '', device = '', ...path] = target.split('/');
  const resource = path.join('/');
  if (user !== '' && device !== '' && resource !== '') return { user, device, resource };
  throw new IotmpError('IOTMP_ERR_PROTOCOL', 'the target has to be user/device/resource');
}

/** Whether a resource runs commands on the machine of a device: `cmd`, and all that begin with `$`, such as `$terminal`. */
function isPrivate(path: string): boolean {
  const [first = ''] = path.split('/', 1);
  return first === 'cmd' || first.startsWith('$');
}

/**
 * The path that a device reads in the name of a resource. Devices in C end a text at the first NUL, and some leave out
 * empty parts of a path: rules must not be passed by with them.
 */
function plainPath(resource: string): string {
  const [text = ''] = resource.split('\0', 1);
  return text
    .split('/')
    .filter((part) => part !== '')
    .join('/');
}
