import { isDeepStrictEqual } from 'node:util';
import type { HubState } from '../../broker/hub/stream-hub';
import type { BucketKey, BucketSettings } from '../../store/bucket-store';
import { userKey } from '../../util/device-key';
import type { BucketFeed, BucketFeedPort } from './bucket-feed';
import { bucketSource } from './bucket-source';
import { DeviceFeed } from './device-feed';
import { TopicFeed } from './topic-feed';

/** The feeds of all buckets that a device's resource or topics fill. */
export class BucketFeeds {
  readonly #port: BucketFeedPort;
  readonly #feeds = new Map<string, BucketFeed>();

  constructor(port: Omit<BucketFeedPort, 'onGone'>) {
    this.#port = {
      server: port.server,
      topics: port.topics,
      write: (key, row) => port.write(key, row),
      onGone: (feed) => this.#drop(feed),
    };
  }

  /** Number of buckets that are fed. */
  get size(): number {
    return this.#feeds.size;
  }

  /** The state of the stream that feeds a bucket; `undefined` if no stream does. */
  state(key: BucketKey): HubState | undefined {
    return this.#feeds.get(userKey(key.user, key.bucket))?.state;
  }

  /**
   * Feeds a bucket as its settings say. A feed whose source is unchanged goes on.
   * @param unasked whether the bucket was loaded from the store, without a request of a person
   * @throws IotmpError IOTMP_ERR_CONFIG, IOTMP_ERR_CLOSED
   */
  set(key: BucketKey, settings: BucketSettings, unasked = false): void {
    const source = bucketSource(settings);
    const before = this.#feeds.get(userKey(key.user, key.bucket));
    if (before !== undefined && isDeepStrictEqual(before.source, source)) {
      if (!unasked) before.ask();
      return;
    }
    this.remove(key);
    if (source === undefined) return;
    const feed =
      source.kind === 'device'
        ? new DeviceFeed(this.#port, key, source, unasked)
        : new TopicFeed(this.#port, key, source);
    this.#feeds.set(userKey(key.user, key.bucket), feed);
  }

  remove(key: BucketKey): void {
    const feed = this.#feeds.get(userKey(key.user, key.bucket));
    if (feed !== undefined) this.#drop(feed);
  }

  close(): void {
    for (const feed of [...this.#feeds.values()]) this.#drop(feed);
  }

  #drop(feed: BucketFeed): void {
    feed.close();
    const id = userKey(feed.key.user, feed.key.bucket);
    if (this.#feeds.get(id) === feed) this.#feeds.delete(id);
  }
}
