import type { IotmpServer } from '../../broker/broker';
import { snapshot } from '../../codec/snapshot';
import { errorText, IotmpError } from '../../errors';
import { WarningGate } from '../../session/base/warning-gate';
import { filterLevels, topicLevels } from '../../topic/topic-name';
import { TopicTree } from '../../topic/topic-tree';
import type { RetainedMessage } from '../../store/retained-store';
import { systemClock, type Clock } from '../../util/clock';
import type { EventSource } from '../events/event-subscription';
import { MessageLimits } from '../../session/samples/message-queue';
import { userKey } from '../../util/device-key';
import { ByteBudget } from '../../util/byte-budget';
import { memorySize } from '../../util/memory-size';
import { ListingQueue } from './listing-queue';
import { DispatchQueue } from './dispatch-queue';
import type { RetainedMessages } from './retained-messages';
import { RetainedWriter } from './retained-writer';
import { AttachedBridge } from './attached-bridge';
import type { BridgeLink, BridgeOptions, TopicBridge } from './topic-bridge';
import { keptMessage, newMessage, type Handling, type Publication, type TopicMessage } from './topic-message';
import { TopicSource, type TopicSourcePort } from './topic-source';
import {
  TopicReceiver,
  type SubscribeOptions,
  type TopicListener,
  type TopicSubscription,
} from './topic-subscription';
import { detached } from '../../util/guard';

/** Options of {@link Topics}. */
export interface TopicsOptions {
  /** The store of retained messages, in place of the store of the services. */
  readonly retained?: RetainedMessages;
  readonly clock?: Clock;
}

/** Subscribers to whom passing a message on takes about as long as reading one. */
const RECEIVERS_PER_MESSAGE = 4;

/** Approximate memory of a publication that waits until it is kept, beside its payload, in bytes. */
const KEEPING_BYTES = 512;

/** The store of retained messages. */
type Kept = Required<Pick<TopicsOptions, 'retained'>>;

/** Options of a publication. */
export interface PublishOptions {
  /** Keeps the message for later subscribers. A null or empty payload removes the kept message. */
  readonly retain?: boolean;
  /** For bridges: with 1 or 2 the message waits for a party that is away. 0 by default. */
  readonly qos?: Handling['qos'];
  /** The device that the message is published for. */
  readonly device?: string;
}

/**
 * Topics as in MQTT, each user's own (`protocol.md` section 7). A subscriber gets the retained messages first, and
 * then all later messages in their order, also its own. Each message is also the event `device_topic_publish` of the
 * server.
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
  readonly #listings = new ListingQueue<TopicReceiver>((subscription) => this.#begin(subscription));
  /** What waits behind the retained messages, by the owners of the subscriptions, and what waits to be kept. */
  readonly #waiting: ByteBudget;
  readonly #warnings: WarningGate;
  #closed = false;
  #lost = 0;
  #unbridged = 0;

  constructor(server: IotmpServer, { retained, clock = systemClock }: TopicsOptions & Kept) {
    this.#server = server;
    this.#clock = clock;
    this.#retained = new RetainedWriter(retained);
    this.#waiting = new ByteBudget(() => ({
      perOwner: server.limits.waitingMessageBytesPerDevice,
      total: server.limits.waitingMessageBytes,
    }));
    this.#warnings = new WarningGate(clock, (text) => server.warn(text));
    const port = {
      publish: (publication, handling) => this.#publish(publication, handling),
      subscribe: (user, filter, listener, options) => this.subscribe(user, filter, listener, options),
    } satisfies TopicSourcePort;
    this.source = new TopicSource(port);
  }

  /** Number of subscriptions. */
  get size(): number {
    let size = 0;
    for (const tree of this.#users.values()) size += tree.size;
    return size;
  }

  /** Messages that gave way in the queues of subscribers that had not taken the retained ones yet. */
  get lost(): number {
    return this.#lost;
  }

  /** Messages that could not be passed to or from a bridge. */
  get unbridged(): number {
    return this.#unbridged;
  }

  /**
   * Publishes a message. All listeners have been called when this returns. The promise settles when a message to keep is
   * in the store.
   * @throws IotmpError (as a rejection) IOTMP_ERR_PROTOCOL for a bad topic, IOTMP_ERR_ENCODE for a payload that PSON
   *   cannot carry, IOTMP_ERR_LOOP, IOTMP_ERR_CLOSED, and the errors of the store
   */
  async publish(
    user: string,
    topic: string,
    payload: unknown,
    { retain = false, qos = 0, device }: PublishOptions = {},
  ): Promise<void> {
    topicLevels(topic);
    // A copy, because the caller may change the payload later.
    await this.#publish({ user, device, topic, payload: snapshot(payload) }, { retain, qos });
  }

  /** Removes the retained messages of a user, for the user's own removal. Rejects if the store does. */
  async forget(user: string): Promise<void> {
    await this.#retained.clear(user);
  }

  /**
   * Calls a listener with the messages of a user whose topics match a filter. The retained messages come first, soon after
   * this has returned and as fast as the listener takes them, and later messages wait for them. Without retained messages,
   * nothing waits.
   * @throws IotmpError IOTMP_ERR_PROTOCOL for a bad filter, IOTMP_ERR_CLOSED
   */
  subscribe(
    user: string,
    filter: string,
    listener: TopicListener,
    { retained = true, qos = 0, owner, onOverflow }: SubscribeOptions = {},
  ): TopicSubscription {
    this.#checkOpen();
    const levels = filterLevels(filter);
    const port = {
      fail: (error: unknown): void => this.#warn(`a listener of ${filter} failed: ${errorText(error)}`),
      lost: (count: number): void => this.#lose(filter, count),
      leave: (left: TopicReceiver): void => this.#leave(left),
      waiting: this.#waiting,
    };
    const limits = qos === 0 ? MessageLimits.lossy : MessageLimits.assured;
    const subscription = new TopicReceiver(port, { user, levels, owner, listener, limits, onOverflow });
    const tree = this.#users.get(user) ?? new TopicTree();
    this.#users.set(user, tree);
    tree.add(levels, subscription);
    if (!retained) subscription.beginAtOnce();
    else detached('topic retained', port.fail, this.#listings.add(owner ?? subscription, subscription));
    return subscription;
  }

  /**
   * Connects the topics with another party, such as an MQTT broker. Messages that are published here go to the party, and
   * messages that the party hands to {@link BridgeLink.receive} are published here.
   * @throws IotmpError IOTMP_ERR_CONFIG for bad options, IOTMP_ERR_CLOSED
   */
  attachBridge(bridge: TopicBridge, options: BridgeOptions = {}): BridgeLink {
    this.#checkOpen();
    const onFault = (error: unknown): void => this.#warn(`bridge: ${errorText(error)}`);
    const link: AttachedBridge = new AttachedBridge(bridge, options, {
      clock: this.#clock,
      receive: (user, topic, payload, retain) => {
        const published = this.#publish({ user, topic, payload, isUntyped: true }, { retain, qos: 0 }, link);
        detached('topic of a bridge', onFault, published);
      },
      keep: (user, topic, payload) =>
        detached('retained of a bridge', onFault, this.#keep(user, { topic, payload, ts: Date.now() })),
      eachRetained: (user, take) =>
        detached('retained for a bridge', onFault, this.#eachRetained(user, take)),
      detach: () => void this.#bridges.delete(link),
      lose: (count) => {
        this.#unbridged += count;
      },
      warn: (text) => this.#warn(text),
    });
    this.#bridges.add(link);
    return link;
  }

  /** Ends all subscriptions and bridges. Nothing is published any more. Idempotent. */
  close(): void {
    this.#closed = true;
    for (const link of this.#bridges) link.detach();
    this.#users.clear();
  }

  /** Resolves when all messages to keep are in the store, or could not be written. For use after {@link close}. */
  settled(): Promise<void> {
    return this.#retained.settled();
  }

  /** @param origin the bridge that the message came through */
  async #publish(publication: Publication, handling: Handling, origin?: AttachedBridge): Promise<void> {
    this.#checkOpen();
    const message = newMessage(publication);
    const { user, topic } = message;
    const levels = topicLevels(topic);
    this.#queue.checkRoom();
    // Kept first, so that a listener that subscribes now finds the message.
    const kept = handling.retain ? this.#keep(user, message, publication.device) : undefined;
    this.#queue.run(() => {
      this.#server.events.publish(message);
      const receivers = this.#users.get(user)?.match(levels) ?? [];
      for (const subscription of receivers) subscription.deliver(message, handling.retain);
      this.#charge(message, receivers.length);
      for (const link of this.#bridges) {
        if (link !== origin) link.send(message, handling);
      }
    });
    await kept;
  }

  /** Keeps a message. Until the store has it, it takes room: of its device, or of all where it comes from no device. */
  async #keep(user: string, message: RetainedMessage, device?: string): Promise<void> {
    const owner = device === undefined ? undefined : userKey(user, device);
    const size = memorySize(message.payload) + KEEPING_BYTES;
    if (!this.#waiting.take(owner, size)) {
      this.#lost++;
      const text = `the message of ${message.topic} is not kept: too much waits to be kept`;
      throw new IotmpError('IOTMP_ERR_BUSY', text);
    }
    try {
      await this.#retained.write(user, message);
    } finally {
      this.#waiting.change(owner, -size);
    }
  }

  /** A message to many subscribers costs its publisher as much of the turn as many messages do. */
  #charge({ user, device }: TopicMessage, receivers: number): void {
    if (device === undefined || receivers < RECEIVERS_PER_MESSAGE) return;
    const messages = Math.floor(receivers / RECEIVERS_PER_MESSAGE);
    this.#server.device({ user, device })?.reading.spend(messages);
  }

  /** Begins a subscription. If the retained messages cannot be read, it begins without them. */
  async #begin(subscription: TopicReceiver): Promise<void> {
    const filter = subscription.levels.join('/');
    try {
      for await (const page of this.#pages(subscription.user, filter)) {
        await this.#tellKept(subscription, page);
        if (subscription.closed) return;
      }
    } catch (error) {
      this.#warn(`retained messages of ${filter} are not available: ${errorText(error)}`);
    }
    try {
      await this.#tellWaiting(subscription);
    } catch (error) {
      this.#warn(`messages of ${filter} are lost: ${errorText(error)}`);
    }
  }

  /** Delivers what was published meanwhile. */
  async #tellWaiting(subscription: TopicReceiver): Promise<void> {
    let waiting: Promise<void> | undefined;
    do {
      this.#queue.run(() => {
        waiting = subscription.begin();
      });
      await waiting;
    } while (waiting !== undefined);
  }

  /** The retained messages that a filter matches, page by page. Each page waits for its turn. */
  #pages(user: string, filter: string): AsyncGenerator<readonly RetainedMessage[], void, void> {
    return this.#retained.pages(user, filter, (readPage) => this.#listings.read(readPage));
  }

  async #tellKept(subscription: TopicReceiver, page: readonly RetainedMessage[]): Promise<void> {
    const { user } = subscription;
    for (const message of page) {
      let waiting: Promise<void> | undefined;
      this.#queue.run(() => {
        waiting = subscription.deliverKept(keptMessage({ user, ...message }));
      });
      if (waiting !== undefined) await waiting;
    }
  }

  async #eachRetained(user: string | undefined, take: (message: TopicMessage) => void): Promise<void> {
    const { registered, devices } = this.#server;
    const users = user === undefined ? [...registered, ...devices].map((device) => device.user) : [user];
    for (const one of new Set(users)) {
      for await (const page of this.#pages(one, '#')) {
        for (const message of page) take(keptMessage({ user: one, ...message }));
      }
    }
  }

  #leave(subscription: TopicReceiver): void {
    const tree = this.#users.get(subscription.user);
    tree?.delete(subscription.levels, subscription);
    this.#listings.remove(subscription.owner ?? subscription, subscription);
    if (tree?.size === 0) this.#users.delete(subscription.user);
  }

  /** Warns of the first lost message. The others are only counted. */
  #lose(filter: string, count: number): void {
    if (this.#lost === 0) this.#warn(`messages of ${filter} are lost: a subscriber reads too slowly`);
    this.#lost += count;
  }

  #checkOpen(): void {
    if (this.#closed) throw new IotmpError('IOTMP_ERR_CLOSED', 'topics are no longer offered');
  }

  #warn(text: string): void {
    this.#warnings.warn(text);
  }
}
