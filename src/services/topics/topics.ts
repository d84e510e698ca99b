import type { IotmpServer } from '../../broker/broker';
import { snapshot } from '../../codec/snapshot';
import { errorText, IotmpError } from '../../errors';
import { WarningGate } from '../../session/base/warning-gate';
import { filterLevels, topicLevels } from '../../topic/topic-name';
import { TopicTree } from '../../topic/topic-tree';
import { systemClock, type Clock } from '../../util/clock';
import type { EventSource } from '../events/event-subscription';
import { DispatchQueue } from './dispatch-queue';
import type { RetainedMessages } from './retained-messages';
import { RetainedWriter } from './retained-writer';
import { AttachedBridge } from './attached-bridge';
import type { BridgeLink, BridgeOptions, TopicBridge } from './topic-bridge';
import { keptMessage, newMessage, type Handling, type Publication } from './topic-message';
import { TopicSource } from './topic-source';
import { TopicReceiver, type TopicListener, type TopicSubscription } from './topic-subscription';
import { detached } from '../../util/guard';

/** What {@link Topics} can be told. */
export interface TopicsOptions {
  /** Where retained messages are kept, in place of the store of the services. */
  readonly retained?: RetainedMessages;
  readonly clock?: Clock;
}

/** Where retained messages are kept. */
type Kept = Required<Pick<TopicsOptions, 'retained'>>;

/** How a message is published. */
export interface PublishOptions {
  /** Keeps it for those who subscribe later; a payload that is null or empty forgets what was kept. */
  readonly retain?: boolean;
  /** For bridges: with 1 or 2 the message waits for a party that is away. 0 without it. */
  readonly qos?: Handling['qos'];
  /** The device in whose name it is published. */
  readonly device?: string;
}

/** How messages are subscribed to. */
export interface SubscribeOptions {
  /** Whether messages that were kept come first; true unless given. */
  readonly retained?: boolean;
}

/**
 * Topics as in MQTT, each user's own (`protocol.md` section 7). Whoever subscribes gets what is published from then on,
 * in order, what he publishes himself too, and before it the retained messages. Each message is also an event of the
 * server, `device_topic_publish`.
 */
export class Topics {
  /** Serves the subscriptions of devices. */
  readonly source: EventSource;
  readonly #server: IotmpServer;
  readonly #clock: Clock;
  readonly #retained: RetainedWriter;
  readonly #users = new Map<string, TopicTree<TopicReceiver>>();
  readonly #bridges = new Set<AttachedBridge>();
  readonly #queue = new DispatchQueue();
  readonly #warnings: WarningGate;
  #closed = false;

  constructor(server: IotmpServer, { retained, clock = systemClock }: TopicsOptions & Kept) {
    this.#server = server;
    this.#clock = clock;
    this.#retained = new RetainedWriter(retained);
    this.#warnings = new WarningGate(clock, (text) => server.warn(text));
    this.source = new TopicSource({
      publish: (publication, handling) => this.#publish(publication, handling),
      subscribe: (user, filter, listener) => this.subscribe(user, filter, listener),
    });
  }

  /** Number of subscriptions. */
  get size(): number {
    let size = 0;
    for (const tree of this.#users.values()) size += tree.size;
    return size;
  }

  /**
   * Publishes a message. Who listens has it when this returns; the promise is for a message that is to be kept.
   * @throws IotmpError (as a rejection) IOTMP_ERR_PROTOCOL for a bad topic, IOTMP_ERR_ENCODE for a payload that PSON
   *   cannot carry, IOTMP_ERR_LOOP, IOTMP_ERR_CLOSED, and as the store does that keeps it
   */
  async publish(
    user: string,
    topic: string,
    payload: unknown,
    { retain = false, qos = 0, device }: PublishOptions = {},
  ): Promise<void> {
    topicLevels(topic);
    // The caller may change the payload afterwards.
    await this.#publish({ user, device, topic, payload: snapshot(payload) }, { retain, qos });
  }

  /** Forgets the retained messages of a user, as when he is removed. Rejects as the store does. */
  async forget(user: string): Promise<void> {
    await this.#retained.clear(user);
  }

  /**
   * Tells of the messages of a user whose topics match a filter: first of those that were kept, up to 1,000, soon after
   * this has returned. Without them all messages come at once.
   * @throws IotmpError IOTMP_ERR_PROTOCOL for a bad filter, IOTMP_ERR_CLOSED
   */
  subscribe(
    user: string,
    filter: string,
    listener: TopicListener,
    { retained = true }: SubscribeOptions = {},
  ): TopicSubscription {
    this.#checkOpen();
    const levels = filterLevels(filter);
    const port = {
      fail: (error: unknown): void => this.#warn(`a listener of ${filter} failed: ${errorText(error)}`),
      leave: (left: TopicReceiver): void => this.#leave(left),
    };
    const subscription = new TopicReceiver(port, { user, levels, listener });
    const tree = this.#users.get(user) ?? new TopicTree();
    this.#users.set(user, tree);
    tree.add(levels, subscription);
    if (retained) detached('topic retained', port.fail, this.#begin(subscription, filter));
    else subscription.begin([]);
    return subscription;
  }

  /**
   * Connects the topics with another party, such as an MQTT broker: what is published here goes there, and what the
   * party hands to {@link BridgeLink.receive} is published here.
   * @throws IotmpError IOTMP_ERR_CONFIG for bad options, IOTMP_ERR_CLOSED
   */
  attachBridge(bridge: TopicBridge, options: BridgeOptions = {}): BridgeLink {
    this.#checkOpen();
    const link: AttachedBridge = new AttachedBridge(bridge, options, {
      clock: this.#clock,
      receive: (user, topic, payload, retain) => {
        const published = this.#publish({ user, topic, payload }, { retain, qos: 0 }, link);
        detached('topic of a bridge', (error) => this.#warn(`bridge: ${errorText(error)}`), published);
      },
      detach: () => void this.#bridges.delete(link),
      warn: (text) => this.#warn(text),
    });
    this.#bridges.add(link);
    return link;
  }

  /** Ends all subscriptions and bridges; nothing is published any more. Idempotent. */
  close(): void {
    this.#closed = true;
    for (const link of this.#bridges) link.detach();
    this.#users.clear();
  }

  /** Resolves when all messages to be kept are in the store, or could not be; for the time after {@link close}. */
  settled(): Promise<void> {
    return this.#retained.settled();
  }

  /** @param origin the bridge that it came through */
  async #publish(publication: Publication, handling: Handling, origin?: AttachedBridge): Promise<void> {
    this.#checkOpen();
    const message = newMessage(publication);
    const { user, topic } = message;
    const levels = topicLevels(topic);
    this.#queue.checkRoom();
    // First, so that one who subscribes in answer to it finds it.
    const kept = handling.retain ? this.#retained.write(user, message) : undefined;
    this.#queue.run(() => {
      this.#server.events.publish(message);
      for (const subscription of this.#users.get(user)?.match(levels) ?? []) {
        subscription.deliver(message, handling.retain);
      }
      for (const link of this.#bridges) {
        if (link !== origin) link.send(message, handling);
      }
    });
    await kept;
  }

  /** Without the retained messages a subscription is still one. */
  async #begin(subscription: TopicReceiver, filter: string): Promise<void> {
    const { user } = subscription;
    const retained = await this.#retained.list(user, filter).catch((error: unknown) => {
      this.#warn(`retained messages of ${filter} are not available: ${errorText(error)}`);
      return [];
    });
    this.#queue.run(() => subscription.begin(retained.map((message) => keptMessage({ user, ...message }))));
  }

  #leave(subscription: TopicReceiver): void {
    const tree = this.#users.get(subscription.user);
    tree?.delete(subscription.levels, subscription);
    if (tree?.size === 0) this.#users.delete(subscription.user);
  }

  #checkOpen(): void {
    if (this.#closed) throw new IotmpError('IOTMP_ERR_CLOSED', 'topics are no longer offered');
  }

  #warn(text: string): void {
    this.#warnings.warn(text);
  }
}
