import { errorText, IotmpError } from '../../errors';
import { topicLevels } from '../../topic/topic-name';
import type { Value } from '../../types';
import type { Clock } from '../../util/clock';
import { EchoMemory } from './echo-memory';
import { guarded } from '../../util/guard';
import { OutageQueue, type OutwardMessage } from './outage-queue';
import { RetainedQuestions } from './retained-questions';
import { RetainedRestore } from './retained-restore';
import type { BridgeLink, BridgeOptions, TopicBridge } from './topic-bridge';
import type { Handling, TopicMessage } from './topic-message';
import { payloadFromBytes, payloadToBytes } from './topic-payload';

/** The part of the topics that a bridge uses. */
export interface BridgePort {
  readonly clock: Clock;
  receive(user: string, topic: string, payload: Value, retain: boolean): void;
  /** Keeps a retained message that is no news to subscribers. */
  keep(user: string, topic: string, payload: Value): void;
  /** Gives the retained messages of all users, or of one, to `take`. */
  eachRetained(user: string | undefined, take: (message: TopicMessage) => void): void;
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
  readonly #restore: RetainedRestore;
  readonly #questions: RetainedQuestions | undefined;
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
    this.#restore = new RetainedRestore(port.clock, (has) => this.#restoreMissing(has));
    this.#questions = questionsOf(bridge, port);
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
    const isAnswer = retain && this.#questions?.isAnswer(topic) === true;
    if (retain) this.#restore.note(topic);
    if (!isAnswer && this.#echoes?.recognise(topic, payload) === true) return false;
    const inner = levels.slice(this.#prefix.length).join('/');
    // Without the sign, a message without a payload is the one that removes the retained message.
    const removes = this.#questions !== undefined && payload.length === 0;
    try {
      topicLevels(inner);
      if (isAnswer) this.#port.keep(user, inner, payloadFromBytes(payload));
      else this.#port.receive(user, inner, payloadFromBytes(payload), retain || removes);
      if (!retain) this.#questions?.note(topic);
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
    this.#restore.begin();
    for (const message of this.#outage.empty()) this.#pass(message);
  }

  detach(): void {
    this.#detached = true;
    this.#restore.close();
    this.#questions?.close();
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
    const message = { topic: this.#outerTopic(user, topic), payload: payloadToBytes(payload), handling };
    if (this.#bridge.connected === false) this.#wait(message);
    else this.#pass(message);
  }

  /** Sends the retained messages again that the other party has lost. */
  #restoreMissing(has: (topic: string) => boolean): void {
    this.#port.eachRetained(this.#user, (message) => {
      const { user, topic } = message;
      if (this.#detached || has(this.#outerTopic(user, topic))) return;
      this.send(message, { retain: true, qos: 0 });
    });
  }

  #outerTopic(user: string, topic: string): string {
    return [...this.#prefix.map((level) => (level === USER ? user : level)), topic].join('/');
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
      if (handling.retain) this.#restore.note(topic);
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

/** The questions to a party that passes retained messages on without the sign of it. */
function questionsOf(bridge: TopicBridge, port: BridgePort): RetainedQuestions | undefined {
  if (bridge.askRetained === undefined) return undefined;
  const onFault = (error: unknown): void => port.warn(`bridge: ${errorText(error)}`);
  const ask = (topic: string): (() => void) => {
    try {
      return guarded('bridge question', onFault, bridge.askRetained?.(topic) ?? ((): void => undefined));
    } catch (error) {
      onFault(error);
      return () => undefined;
    }
  };
  return new RetainedQuestions(port.clock, ask, () =>
    port.warn('bridge: too many topics at once: their retained messages may be old here'),
  );
}

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
