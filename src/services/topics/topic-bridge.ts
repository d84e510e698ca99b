import { errorText, IotmpError } from '../../errors';
import { topicLevels } from '../../topic/topic-name';
import type { Value } from '../../types';
import type { Clock } from '../../util/clock';
import { EchoMemory } from './echo-memory';
import { OutageQueue, type OutwardMessage } from './outage-queue';
import type { Handling, TopicMessage } from './topic-message';
import { payloadFromBytes, payloadToBytes } from './topic-payload';

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

/** What a link needs of the topics. */
export interface BridgePort {
  readonly clock: Clock;
  receive(user: string, topic: string, payload: Value, retain: boolean): void;
  detach(): void;
  warn(text: string): void;
}

/**
 * A bridge that is attached. Messages that came through it are marked with it as their origin and do not go back
 * through it, so two servers that are bridged in both directions do not pass a message to and fro; other bridges get
 * it. Topics that begin with `$` stay where they are.
 */
export class BridgeLink {
  /** The filter to subscribe to at the other party. */
  readonly filter: string;
  readonly #bridge: TopicBridge;
  readonly #port: BridgePort;
  readonly #prefix: readonly string[];
  readonly #user: string | undefined;
  readonly #echoes: EchoMemory | undefined;
  readonly #outage = new OutageQueue();
  #detached = false;

  /**
   * @internal made by topics
   * @throws IotmpError IOTMP_ERR_CONFIG for a prefix that is none, or a user that is missing
   */
  constructor(
    bridge: TopicBridge,
    { prefix = '{user}/', user, echoes = true }: BridgeOptions,
    port: BridgePort,
  ) {
    this.#bridge = bridge;
    this.#port = port;
    this.#user = user;
    this.#prefix = prefixLevels(prefix);
    if (!this.#prefix.includes(USER) && user === undefined) {
      throw new IotmpError('IOTMP_ERR_CONFIG', 'a prefix without {user} needs a user');
    }
    this.#echoes = echoes ? new EchoMemory(port.clock) : undefined;
    const named = user !== undefined && isLevel(user) ? user : '+';
    this.filter = [...this.#prefix.map((level) => (level === USER ? named : level)), '#'].join('/');
  }

  /**
   * A message came from the other party. It reaches all subscribers here, and is kept with `retain`. Returns false when
   * it is none of this bridge, or one that was sent to the other party and comes back.
   */
  receive(
    topic: string,
    payload: Uint8Array,
    { retain = false }: { readonly retain?: boolean } = {},
  ): boolean {
    const levels = topic.split('/');
    const user = this.#userOf(levels);
    if (this.#detached || user === undefined) return false;
    if (this.#echoes?.recognise(topic, payload) === true) return false;
    const inner = levels.slice(this.#prefix.length).join('/');
    try {
      topicLevels(inner);
      this.#port.receive(user, inner, payloadFromBytes(payload), retain);
      return true;
    } catch (error) {
      this.#port.warn(`bridge: a message for ${topic.slice(0, 100)} was not taken: ${errorText(error)}`);
      return false;
    }
  }

  /** The other party is connected again: what waited for it is sent. To be called at each connection. */
  resume(): void {
    if (this.#detached) return;
    const { lost } = this.#outage;
    if (lost > 0) this.#port.warn(`bridge: ${lost} messages were let go while there was no connection`);
    for (const message of this.#outage.empty()) this.#pass(message);
  }

  /** Ends it: nothing goes out any more, and what comes in is let go. Idempotent. */
  detach(): void {
    this.#detached = true;
    this.#port.detach();
  }

  /** @internal a message of this server, not of this bridge */
  send({ user, topic, payload }: TopicMessage, handling: Handling): void {
    if (topic.startsWith('$') || (this.#user !== undefined && this.#user !== user)) return;
    if (this.#prefix.includes(USER) && !isLevel(user)) {
      this.#port.warn(`bridge: the topics of ${user} are not bridged: the name is no level of a topic`);
      return;
    }
    const outer = [...this.#prefix.map((level) => (level === USER ? user : level)), topic].join('/');
    const message = { topic: outer, payload: payloadToBytes(payload), handling };
    if (this.#bridge.connected === false) this.#wait(message);
    else this.#pass(message);
  }

  /** One warning for each time without a connection. */
  #wait(message: OutwardMessage): void {
    const before = this.#outage.lost;
    this.#outage.add(message);
    if (before === 0 && this.#outage.lost > 0) {
      this.#port.warn('bridge: there is no connection: messages are let go');
    }
  }

  #pass({ topic, payload, handling }: OutwardMessage): void {
    try {
      this.#bridge.publish(topic, payload, handling);
      // Only now, as an echo is known for a short time.
      this.#echoes?.note(topic, payload);
    } catch (error) {
      this.#port.warn(`bridge: a message was not sent: ${errorText(error)}`);
    }
  }

  /** Whose a topic of the other party is; `undefined` when it is nobody's. */
  #userOf(levels: readonly string[]): string | undefined {
    if (levels.length <= this.#prefix.length || levels[this.#prefix.length]?.startsWith('$') === true) {
      return undefined;
    }
    let user = this.#user;
    for (const [at, level] of this.#prefix.entries()) {
      const found = levels[at] ?? '';
      if (level !== USER) {
        if (level !== found) return undefined;
      } else if (!isLevel(found) || (this.#user !== undefined && this.#user !== found)) return undefined;
      else user = found;
    }
    return user;
  }
}

const USER = '{user}';

/** The levels of a prefix, without the empty one behind its last slash. */
function prefixLevels(prefix: string): string[] {
  const levels = prefix.split('/');
  const isPrefix = levels.pop() === '' && levels.filter((level) => level === USER).length <= 1;
  if (!isPrefix || levels.some((level) => /[+#\0]/.test(level))) {
    throw new IotmpError('IOTMP_ERR_CONFIG', `"${prefix}" is no prefix of topics such as iotmp/{user}/`);
  }
  return levels;
}

function isLevel(user: string): boolean {
  return user !== '' && !/[/+#\0]/.test(user) && !user.startsWith('$');
}
