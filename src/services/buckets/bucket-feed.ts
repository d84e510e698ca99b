import type { HubState } from '../../broker/hub/stream-hub';
import type { BucketKey } from '../../store/bucket-store';
import type { Topics } from '../topics/topics';
import type { BucketSource } from './bucket-source';
import type { FeedWriterPort } from './feed-writer';

/** What fills a bucket by itself, until it is closed. */
export interface BucketFeed {
  readonly key: BucketKey;
  readonly source: BucketSource;
  /** How the stream of the device is that it comes from; `undefined` where it comes from none. */
  readonly state: HubState | undefined;
  /** A person asks, again: see `HubSubscription.ask`. */
  ask(): void;
  /** Ends it; what is being written still is. Idempotent. */
  close(): void;
}

/** What feeds need of the server. */
export interface BucketFeedPort extends FeedWriterPort {
  readonly topics: Pick<Topics, 'subscribe'>;
  /** There is no such bucket any more. */
  onGone(feed: BucketFeed): void;
}
