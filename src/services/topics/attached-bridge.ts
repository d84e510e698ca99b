import { errorText, IotmpError } from '../../errors';
import { topicLevels } from '../../topic/topic-name';
import type { Value } from '../../types';
import type { Clock } from '../../util/clock';
import { EchoMemory } from './echo-memory';
import { OutageQueue, type OutwardMessage } from './outage-queue';
import type { BridgeLink, BridgeOptions, TopicBridge } from './topic-bridge';
import type { Handling, TopicMessage } from './topic-message';
import { payloadFromBytes, payloadToBytes } from './topic-payload';

/** The part of the topics that a bridge uses. */
export interface BridgePort {
  readonly clock: Clock;
  receive(user: string, topic: string, payload: Value, retain: boolean): void;
  detach(): void;
  /** Counts messages that could not be passed on, in either direction. */
  lose(count: number): void;
  warn(text: string): void;
}

/** A bridge as the topics see it: it takes the messages of this server. */
export class AttachedBridge implements BridgeLink {
  readonly filter: string;
  readonly #bridge: TopicBridge;
  readonly #port: BridgePort;
  readonly #prefix: readonly string[];
  readonly #user: string | undefined;
  readonly #echoes: EchoMemory | undefined;
  readonly #outage = new OutageQueue();
  #detached = false;

  /**
   * @throws IotmpError IOTMP_ERR_CONFIG for a bad prefix, or a missing user
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
      this.#port.lose(1);
      this.#port.warn(`bridge: a message for ${topic.slice(0, 100)} was not taken: ${errorText(error)}`);
      return false;
    }
  }

  resume(): void {
    if (this.#detached) return;
    const { lost } = this.#outage;
    if (lost > 0) this.#port.warn(`bridge: ${lost} messages were let go while there was no connection`);
    for (const message of this.#outage.empty()) this.#pass(message);
  }

  detach(): void {
    this.#detached = true;
    this.#port.detach();
  }

  /** A message of this server that did not come through this bridge. */
  send({ user, topic, payload }: TopicMessage, handling: Handling): void {
    if (topic.startsWith('$') || (this.#user !== undefined && this.#user !== user)) return;
    if (this.#prefix.includes(USER) && !isLevel(user)) {
      this.#port.lose(1);
      this.#port.warn(`bridge: the topics of ${user} are not bridged: the name is no level of a topic`);
      return;
    }
    const outer = [...this.#prefix.map((level) => (level === USER ? user : level)), topic].join('/');
    const message = { topic: outer, payload: payloadToBytes(payload), handling };
    if (this.#bridge.connected === false) this.#wait(message);
    else this.#pass(message);
  }

  /** Queues a message. Warns once during each outage. */
  #wait(message: OutwardMessage): void {
    const before = this.#outage.lost;
    this.#outage.add(message);
    this.#port.lose(this.#outage.lost - before);
    if (before === 0 && this.#outage.lost > 0) {
      this.#port.warn('bridge: there is no connection: messages are let go');
    }
  }

  #pass({ topic, payload, handling }: OutwardMessage): void {
    try {
      this.#bridge.publish(topic, payload, handling);
      // Noted last, because an echo is expected for a short time only.
      this.#echoes?.note(topic, payload);
    } catch (error) {
      this.#port.lose(1);
      this.#port.warn(`bridge: a message was not sent: ${errorText(error)}`);
    }
  }

  /** The user whose topic this topic of the other party is; `undefined` if it belongs to no user. */
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
