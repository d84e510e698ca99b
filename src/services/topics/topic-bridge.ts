import type { Handling } from './topic-message';

/** The other party of a bridge, such as a connection to an MQTT broker. */
export interface TopicBridge {
  /**
   * Whether there is a connection; true without it. While there is none, messages that are to be kept or have a `qos` of
   * 1 or 2 wait for {@link BridgeLink.resume}, 500 at most, and others are let go.
   */
  readonly connected?: boolean;
  /** Sends a message to the other party. What it throws is a warning of the server. */
  publish(topic: string, payload: Buffer, handling: Handling): void;
}

/** How topics are named at the other party, and what comes back from it. */
export interface BridgeOptions {
  /**
   * What stands before each topic there: levels that end with `/`, of which one may be `{user}`, such as
   * `iotmp/{user}/`. `{user}/` without it. Topics are private to a user here, so without `{user}` only the topics of
   * the `user` below are bridged.
   */
  readonly prefix?: string;
  /** The one user whose topics are bridged; needed where the prefix has no `{user}`. */
  readonly user?: string;
  /**
   * Whether the other party sends back what it was sent, as MQTT 3.1.1 does on overlapping subscriptions; then the same
   * message within 10 s is taken for that. `false` for a subscription with "no local" of MQTT 5. True without it.
   */
  readonly echoes?: boolean;
}

/**
 * A bridge that is attached. Messages that came through it are marked with it as their origin and do not go back
 * through it, so two servers that are bridged in both directions do not pass a message to and fro; other bridges get
 * it. Topics that begin with `$` stay where they are.
 */
export interface BridgeLink {
  /** The filter to subscribe to at the other party. */
  readonly filter: string;
  /**
   * A message came from the other party. It reaches all subscribers here, and is kept with `retain`. Returns false when
   * it is none of this bridge, or one that was sent to the other party and comes back.
   */
  receive(topic: string, payload: Uint8Array, options?: { readonly retain?: boolean }): boolean;
  /** The other party is connected again: what waited for it is sent. To be called at each connection. */
  resume(): void;
  /** Ends it: nothing goes out any more, and what comes in is let go. Idempotent. */
  detach(): void;
}
