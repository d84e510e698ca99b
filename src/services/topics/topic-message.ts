import { decimalNumber } from '../../codec/exact-json';
import type { ServerEvent } from '../../broker/event-feed';
import { encodeValue } from '../../codec/writing/pson-encoder';
import type { DeviceId, Value } from '../../types';

/**
 * A message of a topic. It is also the event `device_topic_publish` of the server's feed, and a subscribed device gets it
 * as it is (`protocol.md` section 7) and reads its `payload`. All receivers share the object and must not change it.
 */
export interface TopicMessage extends ServerEvent {
  readonly event: 'device_topic_publish';
  /** The user that the topic belongs to. */
  readonly user: string;
  readonly topic: string;
  readonly payload: Value;
  /** The time of its publication, in ms since 1970. */
  readonly ts: number;
}

/** Approximate size of a message beside its topic and payload, in bytes. */
const OVERHEAD = 64;

/** A message to publish, and its publisher. */
export interface Publication {
  readonly user: string;
  readonly topic: string;
  readonly payload: Value;
  /** The device that publishes the message, if a device does. */
  readonly device?: DeviceId['device'] | undefined;
  /** Whether the payload came as bytes, without a type. Its text may be meant as a number. */
  readonly isUntyped?: boolean;
}

/** The handling of a message beyond its delivery to the present subscribers. */
export interface Handling {
  /** Whether the message is kept for later subscribers. */
  readonly retain: boolean;
  /**
   * The quality of service of MQTT. It has no effect on IoTMP connections, which lose no message. Bridges pass it on, and
   * keep messages of 1 and 2 for a party that is away.
   */
  readonly qos: Qos;
}

/** Quality of service, as MQTT has it. */
export type Qos = 0 | 1 | 2;

const sizes = new WeakMap<TopicMessage, number>();

/** Approximate size of a waiting message, in bytes. It is computed once for all queues. */
export function messageSize(message: TopicMessage): number {
  const known = sizes.get(message);
  if (known !== undefined) return known;
  const size = message.topic.length + encodeValue(message.payload).length + OVERHEAD;
  sizes.set(message, size);
  return size;
}

/** Messages whose payload came without a type. A mark beside the message does not reach its readers. */
const untyped = new WeakSet<TopicMessage>();

/** A message that is published now. */
export function newMessage({ user, topic, payload, device, isUntyped = false }: Publication): TopicMessage {
  const event = 'device_topic_publish';
  const from = device === undefined ? {} : { device };
  const message: TopicMessage = { event, user, ...from, ts: Date.now(), topic, payload };
  if (isUntyped) untyped.add(message);
  return message;
}

/** The value of a message for a place where numbers are expected: `21.50` is 21.5 where it came without a type. */
export function measuredValue(message: TopicMessage): Value {
  const { payload } = message;
  if (typeof payload !== 'string' || !untyped.has(message)) return payload;
  return decimalNumber(payload) ?? payload;
}

/** A retained message, for a subscriber that came after it. */
export function keptMessage({
  user,
  topic,
  payload,
  ts,
}: Publication & { readonly ts: number }): TopicMessage {
  return { event: 'device_topic_publish', user, ts, topic, payload, retained: true };
}
