import { besideColumns } from '../../store/row-columns';
import type { BucketKey } from '../../store/bucket-store';
import { measuredValue, type TopicMessage } from '../topics/topic-message';
import type { TopicSubscription } from '../topics/topic-subscription';
import type { BucketFeed, BucketFeedPort } from './bucket-feed';
import { rowOfSample, type TopicBucketSource } from './bucket-source';
import { FeedWriter } from './feed-writer';

/** Maximum number of rows that wait for the store. Messages of many devices may come at once. */
const MAX_WAITING = 1024;

/**
 * Feeds a bucket with the messages of its user's topics that a filter matches. The row of a device's message has the
 * device as its tag. Retained messages are old and become no rows.
 */
export class TopicFeed implements BucketFeed {
  readonly key: BucketKey;
  readonly source: TopicBucketSource;
  readonly state = undefined;
  readonly #writer: FeedWriter;
  readonly #subscription: TopicSubscription;

  /** @throws IotmpError IOTMP_ERR_CLOSED */
  constructor(port: BucketFeedPort, key: BucketKey, source: TopicBucketSource) {
    this.key = key;
    this.source = source;
    this.#writer = new FeedWriter(port, key, MAX_WAITING, () => port.onGone(this));
    this.#subscription = port.topics.subscribe(key.user, source.filter, (message) => this.#take(message), {
      retained: false,
    });
  }

  ask(): void {
    // A subscription to topics is never held, so there is nothing to ask for.
  }

  close(): void {
    this.#subscription.close();
  }

  #take(message: TopicMessage): void {
    const { topic, device } = message;
    const value = rowOfSample('value', measuredValue(message));
    if (value === undefined) return;
    const tag = { ...(device !== undefined && { device }) };
    this.#writer.write({ ...tag, value: besideColumns({ topic }, value) }, { ...tag, topic });
  }
}
