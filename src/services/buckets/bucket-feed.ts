import type { HubState } from '../../broker/hub/stream-hub';
import type { BucketKey } from '../../store/bucket-store';
import type { Topics } from '../topics/topics';
import type { BucketSource } from './bucket-source';
import type { FeedWriterPort } from './feed-writer';

/** Fills a bucket with rows until it is closed. */
export interface BucketFeed {
  readonly key: BucketKey;
  readonly source: BucketSource;
  /** The state of the device's stream that the rows come from; `undefined` if they come from topics. */
  readonly state: HubState | undefined;
  /** Asks for the stream again on behalf of a person: see `HubSubscription.ask`. */
  ask(): void;
  /** Ends the feed. Rows that are being written are still written. Idempotent. */
  close(): void;
}

/** The part of the server that feeds use. */
export interface BucketFeedPort extends FeedWriterPort {
  readonly topics: Pick<Topics, 'subscribe'>;
  /** Called when a write shows that the bucket is gone. */
  onGone(feed: BucketFeed): void;
}
