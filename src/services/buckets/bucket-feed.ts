import type { HubState, HubSubscription } from '../../broker/hub/stream-hub';
import type { IotmpServer } from '../../broker/broker';
import { errorText, IotmpError } from '../../errors';
import type { NewRow } from '../../store/bucket-row';
import type { BucketKey } from '../../store/bucket-store';
import type { Value } from '../../types';
import { rowOfSample, type DeviceSource } from './bucket-source';

/** What a feed needs of its bucket. */
export interface BucketFeedPort {
  readonly server: IotmpServer;
  write(key: BucketKey, row: NewRow): Promise<unknown>;
  /** There is no such bucket any more. */
  onGone(feed: BucketFeed): void;
}

/** Rows of one feed that may wait for the store; more are refused. */
const MAX_WRITES = 64;

/**
 * Feeds a bucket from a device's resource, through the server's hub, which opens the stream whenever the device is
 * there. What cannot be written costs its row, and the event `bucket_write_refused` with `statusCode` and `reason`; the
 * same reason again is told only after a row got through. When the stream is `failed`, `held` (`protocol.md` section 5)
 * or `stalled`, that is the event `bucket_source_fault` with `resource`, `state` and `reason`.
 */
export class BucketFeed {
  readonly key: BucketKey;
  readonly source: DeviceSource;
  readonly #port: BucketFeedPort;
  readonly #subscription: HubSubscription;
  #writes = 0;
  #complaint: string | undefined;

  /** @param unasked nobody wants it at the moment: it was saved earlier */
  constructor(port: BucketFeedPort, key: BucketKey, source: DeviceSource, unasked: boolean) {
    this.#port = port;
    this.key = key;
    this.source = source;
    const { device, resource, intervalMs } = source;
    this.#subscription = port.server.subscribe({ user: key.user, device }, resource, {
      intervalMs,
      unasked,
      onSample: (sample) => this.#take(sample),
      onState: (state) => this.#tellState(state),
    });
    this.#tellState(this.#subscription.state);
  }

  /** How the device's stream is. */
  get state(): HubState {
    return this.#subscription.state;
  }

  /** A person asks, again: see `HubSubscription.ask`. */
  ask(): void {
    this.#subscription.ask();
  }

  /** Ends it; what is being written still is. Idempotent. */
  close(): void {
    this.#subscription.close();
  }

  #take(sample: Value | undefined): void {
    const { device, resource } = this.source;
    const value = rowOfSample(resource, sample);
    if (value === undefined) return;
    if (this.#writes >= MAX_WRITES) {
      this.#refuse(new IotmpError('IOTMP_ERR_BUSY', 'rows come faster than they can be written'));
      return;
    }
    this.#writes++;
    this.#port.write(this.key, { device, value }).then(
      () => {
        this.#writes--;
        this.#complaint = undefined;
      },
      (error: unknown) => {
        this.#writes--;
        this.#refuse(error);
      },
    );
  }

  #refuse(error: unknown): void {
    const isCoded = error instanceof IotmpError;
    if (isCoded && error.code === 'IOTMP_ERR_NOT_FOUND') this.#port.onGone(this);
    const reason = errorText(error);
    if (reason === this.#complaint) return;
    this.#complaint = reason;
    this.#publish('bucket_write_refused', { statusCode: isCoded ? error.statusCode : 500, reason });
  }

  #tellState(state: HubState): void {
    const { kind } = state;
    if (kind !== 'failed' && kind !== 'held' && kind !== 'stalled') return;
    this.#publish('bucket_source_fault', { state: kind, reason: faultText(state) });
  }

  #publish(event: string, fields: Readonly<Record<string, Value>>): void {
    const { user, bucket } = this.key;
    const { device, resource } = this.source;
    this.#port.server.events.publish({
      event,
      user,
      device,
      ts: Date.now(),
      bucket,
      resource,
      ...fields,
    });
  }
}

function faultText(state: HubState): string {
  if (state.kind === 'failed') return state.error.message;
  return state.kind === 'held'
    ? 'the resource is no output: it is not opened unasked'
    : 'the device sends no samples';
}
