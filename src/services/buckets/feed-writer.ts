import type { IotmpServer } from '../../broker/broker';
import { errorText, IotmpError, publicText } from '../../errors';
import type { NewRow } from '../../store/bucket-row';
import type { BucketKey } from '../../store/bucket-store';
import type { Value } from '../../types';
import { guarded } from '../../util/guard';

/** Options of a {@link FeedWriter}. */
export interface FeedWriterPort {
  readonly server: IotmpServer;
  write(key: BucketKey, row: NewRow): Promise<unknown>;
}

/** The source of a row, as events name it: the device, its resource, the topic. */
export type RowOrigin = Readonly<Record<string, Value>>;

/**
 * Writes the rows of one feed. A row that cannot be written is lost, and the writer publishes the event
 * `bucket_write_refused` with `statusCode` and `reason`. The same reason is published again only after a row was written.
 */
export class FeedWriter {
  readonly #port: FeedWriterPort;
  readonly #key: BucketKey;
  readonly #maxWaiting: number;
  readonly #onGone: () => void;
  #waiting = 0;
  #complaint: string | undefined;

  /**
   * @param maxWaiting maximum number of rows that wait for the store; further rows are refused
   * @param onGone called when the bucket is gone
   */
  constructor(port: FeedWriterPort, key: BucketKey, maxWaiting: number, onGone: () => void) {
    this.#port = port;
    this.#key = key;
    this.#maxWaiting = maxWaiting;
    this.#onGone = onGone;
  }

  write(row: NewRow, origin: RowOrigin): void {
    if (this.#waiting >= this.#maxWaiting) {
      this.#refuse(new IotmpError('IOTMP_ERR_BUSY', 'rows come faster than they can be written'), origin);
      return;
    }
    this.#waiting++;
    const onFault = (error: unknown): void => this.#port.server.warn(errorText(error));
    this.#port.write(this.#key, row).then(
      guarded('feed written', onFault, () => {
        this.#waiting--;
        this.#complaint = undefined;
      }),
      guarded('feed refused', onFault, (error: unknown) => {
        this.#waiting--;
        this.#refuse(error, origin);
      }),
    );
  }

  /** Publishes an event of this bucket. */
  publish(event: string, fields: RowOrigin): void {
    const { user, bucket } = this.#key;
    this.#port.server.events.publish({ event, user, ts: Date.now(), bucket, ...fields });
  }

  #refuse(error: unknown, origin: RowOrigin): void {
    const isCoded = error instanceof IotmpError;
    if (isCoded && error.code === 'IOTMP_ERR_NOT_FOUND') this.#onGone();
    const reason = publicText(error);
    if (reason === this.#complaint) return;
    this.#complaint = reason;
    const statusCode = isCoded ? error.statusCode : 500;
    this.publish('bucket_write_refused', { ...origin, statusCode, reason });
  }
}
