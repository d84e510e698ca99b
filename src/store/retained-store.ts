import type { Value } from '../types';

/** The last message of a topic that was published to be kept (`protocol.md` section 7, event streams). */
export interface RetainedMessage {
  readonly topic: string;
  readonly payload: Value;
  /** When it was published, in ms since 1970. */
  readonly ts: number;
}

/** Which retained messages are wanted. */
export interface RetainedQuery {
  /** A topic filter as in MQTT: `+` is one level, `#` at the end all below; every topic unless given. */
  readonly filter?: string;
  /** How many at most, 1 to 1,000; 100 unless given. A page of 128 KiB ends earlier. */
  readonly limit?: number;
  /** Where the page before ended. */
  readonly cursor?: string;
}

/** Some of the retained messages. */
export interface RetainedPage {
  readonly messages: readonly RetainedMessage[];
  /** Where the next page begins; absent on the last one. */
  readonly cursor?: string;
}

/** Retained messages, by user and topic. */
export interface RetainedStore {
  /** The retained message of one topic, or undefined. */
  get(user: string, topic: string): Promise<RetainedMessage | undefined>;

  /** Keeps a message in place of the one before. `IOTMP_ERR_QUOTA` for one topic too many. */
  set(user: string, topic: string, payload: Value): Promise<void>;

  /** Forgets the message of a topic; answers whether there was one. */
  remove(user: string, topic: string): Promise<boolean>;

  /** Messages whose topics match a filter, in the order of the topics. */
  list(user: string, query?: RetainedQuery): Promise<RetainedPage>;

  /** Forgets all messages of a user; answers how many there were. */
  clear(user: string): Promise<number>;
}
