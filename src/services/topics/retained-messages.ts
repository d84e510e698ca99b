import type { RetainedMessage } from '../../store/retained-store';
import type { Value } from '../../types';

/** A store of retained messages, by user and topic. */
export interface RetainedMessages {
  /** Keeps a message in place of the topic's earlier message. Rejects if there is no room for another topic. */
  set(user: string, topic: string, payload: Value): Promise<void>;
  /** Forgets the message of a topic, if there is one. */
  remove(user: string, topic: string): Promise<boolean>;
  /** Forgets all messages of a user. */
  clear(user: string): Promise<unknown>;
  /**
   * The messages whose topics match a filter, up to `limit`, which is 1,000 at most; and where the next ones begin, if
   * there are more.
   */
  list(
    user: string,
    query: { readonly filter: string; readonly limit: number; readonly cursor?: string },
  ): Promise<{ readonly messages: readonly RetainedMessage[]; readonly cursor?: string }>;
}
