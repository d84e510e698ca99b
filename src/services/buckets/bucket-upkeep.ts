import type { IotmpServer } from '../../broker/broker';
import type { HubState } from '../../broker/hub/stream-hub';
import { errorText, IotmpError } from '../../errors';
import type { NewRow } from '../../store/bucket-row';
import type { BucketKey, BucketSettings } from '../../store/bucket-store';
import { isMap } from '../../types';
import type { Clock, Timer } from '../../util/clock';
import { userKey } from '../../util/device-key';
import type { StoreAccess } from '../store-access';
import type { Topics } from '../topics/topics';
import { BucketFeeds } from './bucket-feeds';
import { Retention } from './retention';
import { savedBuckets } from './saved-buckets';
import { detached } from '../../util/guard';

/** The parts of a server that the upkeep of buckets uses. */
export interface BucketUpkeepPort {
  readonly server: IotmpServer;
  readonly store: StoreAccess;
  readonly topics: Pick<Topics, 'subscribe'>;
  readonly clock: Clock;
  write(key: BucketKey, row: NewRow): Promise<unknown>;
}

/** Time until saved buckets that could not be read are read again, in ms. */
const RETRY_MS = 30_000;

/** Feeds buckets from devices' streams and topics, and removes old rows, as the settings of the buckets say. */
export class BucketUpkeep {
  readonly #port: BucketUpkeepPort;
  readonly #feeds: BucketFeeds;
  readonly #retention: Retention;
  /** Buckets that have changed since the start. Their saved settings are outdated. Undefined when all are loaded. */
  #changed: Set<string> | undefined = new Set();
  #retry: Timer | undefined;
  #closed = false;
  readonly #onFault = (error: unknown): void => this.#warn(errorText(error), error);

  constructor(port: BucketUpkeepPort) {
    this.#port = port;
    this.#feeds = new BucketFeeds(port);
    this.#retention = new Retention(port.clock, () => this.#prune());
  }

  /** Number of buckets that are fed. */
  get feeds(): number {
    return this.#feeds.size;
  }

  /** The state of the stream that feeds a bucket; `undefined` if no stream does. */
  sourceState(key: BucketKey): HubState | undefined {
    return this.#feeds.state(key);
  }

  /** Loads the saved buckets. Must be called once. */
  start(): void {
    detached('buckets at the start', this.#onFault, this.#takeUp());
  }

  /** A bucket has these settings now. */
  set(key: BucketKey, settings: BucketSettings): void {
    this.#changed?.add(userKey(key.user, key.bucket));
    this.#apply(key, settings, false);
  }

  /** A bucket is gone. */
  remove(key: BucketKey): void {
    this.#changed?.add(userKey(key.user, key.bucket));
    this.#feeds.remove(key);
  }

  close(): void {
    this.#closed = true;
    this.#retry?.cancel();
    this.#feeds.close();
    this.#retention.close();
  }

  async #takeUp(): Promise<void> {
    try {
      for await (const { user, bucket, settings } of savedBuckets(this.#port.store)) {
        if (this.#closed) return;
        const key = { user, bucket };
        if (this.#changed?.has(userKey(key.user, key.bucket)) === false) this.#apply(key, settings, true);
      }
      this.#changed = undefined;
    } catch (error) {
      this.#warn(`saved buckets could not be read: ${errorText(error)}`, error);
      if (this.#closed || this.#port.store.failed) return;
      this.#retry = this.#port.clock.after(RETRY_MS, () =>
        detached('buckets tried again', this.#onFault, this.#takeUp()),
      );
    }
  }

  #apply(key: BucketKey, settings: BucketSettings, unasked: boolean): void {
    if (this.#closed) return;
    if (isMap(settings.retention)) this.#retention.note();
    try {
      this.#feeds.set(key, settings, unasked);
    } catch (error) {
      this.#warn(`the bucket ${key.user}/${key.bucket} cannot be fed: ${errorText(error)}`, error);
    }
  }

  /** Resolves with whether a bucket has a retention, or may have one. */
  async #prune(): Promise<boolean> {
    let found = false;
    try {
      for await (const { user, bucket, settings } of savedBuckets(this.#port.store)) {
        if (this.#closed) return false;
        if (!isMap(settings.retention)) continue;
        found = true;
        await this.#port.store.use(({ buckets }) => buckets.prune({ user, bucket })).catch(exceptMissing);
      }
      return found;
    } catch (error) {
      this.#warn(`old rows could not be removed: ${errorText(error)}`, error);
      return true;
    }
  }

  #warn(text: string, cause: unknown): void {
    if (this.#closed) return;
    this.#port.server.warn(text, cause instanceof IotmpError ? cause : undefined);
  }
}

/** The bucket may have been removed meanwhile. */
function exceptMissing(error: unknown): void {
  if (!(error instanceof IotmpError) || error.code !== 'IOTMP_ERR_NOT_FOUND') throw error;
}
