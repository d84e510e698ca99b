import { IotmpError } from '../../errors';
import { ANONYMOUS_USER, isNeverAllowed, sharedRequest } from '../../rights/device-request';
import { Sample } from '../../session/samples/sample';
import { filterLevels, topicLevels } from '../../topic/topic-name';
import type { DeviceId, Value } from '../../types';
import type { EventSource, EventSubscription } from '../events/event-subscription';
import { badRequest } from '../service-name';
import type { Handling, Publication, Qos, TopicMessage } from './topic-message';
import type { SubscribeOptions, TopicListener, TopicSubscription } from './topic-subscription';
import { deviceKey } from '../../util/device-key';
import { detached } from '../../util/guard';

/** The part of the topics that this source uses. */
export interface TopicSourcePort {
  publish(publication: Publication, handling: Handling): Promise<void>;
  subscribe(
    user: string,
    filter: string,
    listener: TopicListener,
    options: SubscribeOptions,
  ): TopicSubscription;
}

/**
 * The topics of devices (`protocol.md` section 7): `{"event": "device_topic_publish", "scope": "publish"|"subscribe",
 * "topic", "qos"?, "retained"?}`. With `publish`, each STREAM_DATA of the device is a message. With `subscribe`, the
 * device gets each message as an event with `topic` and `payload`, retained messages first. A list may name both scopes.
 * Without scope and topic, the event is served like any other event. The `qos` of a publisher is passed on to bridges. A
 * subscriber that reads too slowly loses the oldest message with a `qos` of 0; with 1 or 2 its subscription ends.
 */
export class TopicSource implements EventSource {
  readonly #port: TopicSourcePort;
  /** The encoded messages that subscribers share. */
  readonly #samples = new WeakMap<TopicMessage, Sample>();

  constructor(port: TopicSourcePort) {
    this.#port = port;
  }

  /** @throws IotmpError IOTMP_ERR_PROTOCOL for bad parameters, IOTMP_ERR_FORBIDDEN for publishing to topics that begin with `$` */
  open(subscription: EventSubscription): void {
    const { scope, topic, qos, retained } = subscription.parameters;
    if (scope === undefined && topic === undefined) {
      subscription.follow();
      return;
    }
    const scopes = scopesOf(scope);
    const handling = { retain: retained === true, qos: qosOf(qos) };
    const name = scopes.has('publish') ? topicLevels(topic).join('/') : filterLevels(topic).join('/');
    if (scopes.has('publish')) this.#openPublisher(subscription, name, handling);
    if (scopes.has('subscribe')) this.#openSubscriber(subscription, name, handling.qos);
  }

  #openPublisher(subscription: EventSubscription, topic: string, handling: Handling): void {
    const request = sharedRequest(subscription.caller, 'PublishTopic', topic);
    if (isNeverAllowed(request)) {
      throw new IotmpError('IOTMP_ERR_FORBIDDEN', 'topics that begin with $ are not for devices to publish');
    }
    const { user, device } = subscription.caller;
    if (user === ANONYMOUS_USER && handling.retain) {
      throw new IotmpError(
        'IOTMP_ERR_FORBIDDEN',
        'a device that is not registered cannot have messages kept',
      );
    }
    subscription.need(request);
    subscription.onData = (payload = null) => {
      const published = this.#port.publish({ user, device, topic, payload }, handling);
      detached('topic of a device', (error) => subscription.warn(error), published);
    };
  }

  #openSubscriber(subscription: EventSubscription, filter: string, qos: Qos): void {
    subscription.need(sharedRequest(subscription.caller, 'SubscribeTopic', filter));
    if (qos > 0) subscription.carryAssured();
    const { caller } = subscription;
    const owner = deviceKey(caller);
    const listener: TopicListener = (message) =>
      !isForDevice(message, caller) ||
      !subscription.filter.matches(message) ||
      subscription.deliver(this.#sampleOf(message));
    const onOverflow = (reason: IotmpError): void => subscription.endSlow(reason);
    const topics = this.#port.subscribe(caller.user, filter, listener, { qos, owner, onOverflow });
    subscription.onDrain = () => topics.resume();
    subscription.onClose = () => topics.close();
  }

  #sampleOf(message: TopicMessage): Sample {
    const known = this.#samples.get(message);
    if (known !== undefined) return known;
    const sample = new Sample(message);
    this.#samples.set(message, sample);
    return sample;
  }
}

/** Devices that are not registered share topics with flows and programs, but do not hear one another. */
function isForDevice({ device }: TopicMessage, caller: DeviceId): boolean {
  return caller.user !== ANONYMOUS_USER || device === undefined || device === caller.device;
}

function qosOf(qos: Value | undefined): Qos {
  if (qos === undefined) return 0;
  if (qos === 0 || qos === 1 || qos === 2) return qos;
  throw badRequest('qos must be 0, 1 or 2');
}

function scopesOf(scope: Value | undefined): ReadonlySet<Value> {
  const scopes = new Set(Array.isArray(scope) ? scope : [scope ?? null]);
  const isUsable = scopes.size > 0 && [...scopes].every((one) => one === 'publish' || one === 'subscribe');
  if (!isUsable) throw badRequest('scope must be "publish" or "subscribe"');
  return scopes;
}
