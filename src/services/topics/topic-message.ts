import type { ServerEvent } from '../../broker/event-feed';
import type { DeviceId, Value } from '../../types';

/**
 * A message of a topic. It is the event `device_topic_publish` of the server's feed, and it is what a subscribed device
 * gets (`protocol.md` section 7), which reads its `payload`. All who get it share the object, and must not change it.
 */
export interface TopicMessage extends ServerEvent {
  readonly event: 'device_topic_publish';
  /** Whose topic it is. */
  readonly user: string;
  readonly topic: string;
  readonly payload: Value;
  /** When it was published, in ms since 1970. */
  readonly ts: number;
}

/** What is published, and by whom. */
export interface Publication {
  readonly user: string;
  readonly topic: string;
  readonly payload: Value;
  /** The device that publishes it, where it is one. */
  readonly device?: DeviceId['device'] | undefined;
}

/** What is to be done with a message beyond telling it to those who listen. */
export interface Handling {
  /** Keeps it for those who subscribe later. */
  readonly retain: boolean;
  /**
   * That of MQTT. Here it means nothing: messages go once over connections that lose nothing. Bridges pass it on, and
   * have messages of 1 and 2 wait for a party that is away.
   */
  readonly qos: Qos;
}

/** Quality of service, as MQTT has it. */
export type Qos = 0 | 1 | 2;

/** A message that is published now. */
export function newMessage({ user, topic, payload, device }: Publication): TopicMessage {
  const event = 'device_topic_publish';
  return { event, user, ...(device !== undefined && { device }), ts: Date.now(), topic, payload };
}

/** A message that had been published to be kept, and is told to one who came after it. */
export function keptMessage({
  user,
  topic,
  payload,
  ts,
}: Publication & { readonly ts: number }): TopicMessage {
  return { event: 'device_topic_publish', user, ts, topic, payload, retained: true };
}
