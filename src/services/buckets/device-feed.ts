import type { HubState, HubSubscription } from '../../broker/hub/stream-hub';
import type { BucketKey } from '../../store/bucket-store';
import type { Value } from '../../types';
import type { BucketFeed, BucketFeedPort } from './bucket-feed';
import { rowOfSample, type DeviceBucketSource } from './bucket-source';
import { FeedWriter } from './feed-writer';

/** Maximum number of rows that wait for the store. */
const MAX_WAITING = 64;

/**
 * Feeds a bucket from a device's resource, through the server's hub, which opens the stream whenever the device is
 * connected. When the stream becomes `failed`, `held` (`protocol.md` section 5) or `stalled`, the feed publishes the event
 * `bucket_source_fault` with `resource`, `state` and `reason`.
 */
export class DeviceFeed implements BucketFeed {
  readonly key: BucketKey;
  readonly source: DeviceBucketSource;
  readonly #writer: FeedWriter;
  readonly #subscription: HubSubscription;

  /** @param unasked whether the bucket was loaded from the store, without a request of a person */
  constructor(port: BucketFeedPort, key: BucketKey, source: DeviceBucketSource, unasked: boolean) {
    this.key = key;
    this.source = source;
    this.#writer = new FeedWriter(port, key, MAX_WAITING, () => port.onGone(this));
    const { device, resource, intervalMs } = source;
    this.#subscription = port.server.subscribe({ user: key.user, device }, resource, {
      intervalMs,
      unasked,
      onSample: (sample) => this.#take(sample),
      onState: (state) => this.#tellState(state),
    });
    this.#tellState(this.#subscription.state);
  }

  get state(): HubState {
    return this.#subscription.state;
  }

  ask(): void {
    this.#subscription.ask();
  }

  close(): void {
    this.#subscription.close();
  }

  #take(sample: Value | undefined): void {
    const { device, resource } = this.source;
    const value = rowOfSample(resource, sample);
    if (value !== undefined) this.#writer.write({ device, value }, { device, resource });
  }

  #tellState(state: HubState): void {
    const { kind } = state;
    if (kind !== 'failed' && kind !== 'held' && kind !== 'stalled') return;
    const { device, resource } = this.source;
    this.#writer.publish('bucket_source_fault', { device, resource, state: kind, reason: faultText(state) });
  }
}

function faultText(state: HubState): string {
  if (state.kind === 'failed') return state.error.message;
  return state.kind === 'held'
    ? 'the resource is no output: it is not opened unasked'
    : 'the device sends no samples';
}
