import type { Handling } from './topic-message';

/** The other party of a bridge, such as a connection to an MQTT broker. */
export interface TopicBridge {
  /**
   * Whether there is a connection; true by default. Without a connection, retained messages and messages with a `qos` of
   * 1 or 2 wait for {@link BridgeLink.resume}, 500 at most. Other messages are dropped.
   */
  readonly connected?: boolean;
  /**
   * Has the other party send the retained message of a topic again, if there is one. Returns the function that ends the
   * question. To be given if a live message does not say whether it is retained, as in MQTT 3.1.1.
   */
  askRetained?(topic: string): () => void;
  /** Sends a message to the other party. An exception becomes a warning of the server. */
  publish(topic: string, payload: Buffer, handling: Handling): void;
}

/** Options of a bridge: the names of topics at the other party, and its echoes. */
export interface BridgeOptions {
  /**
   * The prefix of each topic at the other party: levels that end with `/`, such as `iotmp/{user}/`. One level may be
   * `{user}`. `{user}/` by default. Topics are private to a user here, so without `{user}` only the topics of the `user`
   * below are bridged.
   */
  readonly prefix?: string;
  /** The only user whose topics are bridged. Required if the prefix has no `{user}`. */
  readonly user?: string;
  /**
   * Whether the other party sends back the messages that it gets, as MQTT 3.1.1 does for overlapping subscriptions. If so,
   * the same message within 10 s counts as an echo. `false` for a subscription with "no local" of MQTT 5. True by default.
   */
  readonly echoes?: boolean;
}

/**
 * An attached bridge. A message that comes through the bridge does not go back through it, so two servers that are
 * bridged in both directions do not pass a message to and fro. Other bridges get the message. Topics that begin with `$`
 * are not bridged.
 */
export interface BridgeLink {
  /** The filter to subscribe to at the other party. */
  readonly filter: string;
  /**
   * Publishes a message of the other party here, and keeps it with `retain`. Returns false if the topic does not belong to
   * this bridge, or if the message is an echo.
   */
  receive(topic: string, payload: Uint8Array, options?: { readonly retain?: boolean }): boolean;
  /**
   * Sends the waiting messages, and after some seconds the retained messages that the other party does not have. Must be
   * called each time the other party has connected, before it sends its retained messages.
   */
  resume(): void;
  /** Detaches the bridge: no message passes it any more. Idempotent. */
  detach(): void;
}
