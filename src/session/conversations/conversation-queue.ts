import type { QueueLimits } from '../../util/bounded-queue';
import type { Sample } from '../samples/sample';
import type { SampleForm } from '../samples/sample-form';
import { SampleQueue } from '../samples/sample-queue';
import { tooSlowError, WaitingBytes } from './waiting-bytes';
import { guarded, warnProcess } from '../../util/guard';

/** {@link WaitingBytes} bounds the queue. */
const UNBOUNDED: QueueLimits = { items: Infinity, bytes: Infinity, past: 'refuse' };

/** What a conversation has to send while the peer does not read: nothing of it gives way. */
export class ConversationQueue extends SampleQueue {
  override readonly lossless = true;
  readonly #waiting: WaitingBytes;
  readonly #onRoom: () => void;
  #onEmpty: (() => void) | undefined;

  /**
   * @param limit bytes past which the writer has to stop
   * @param onRoom the writer may go on; called after a {@link full} queue has been worked off by half
   */
  constructor(form: SampleForm, limit: number, onRoom: () => void) {
    super(form, UNBOUNDED);
    this.#waiting = new WaitingBytes(limit);
    this.#onRoom = onRoom;
  }

  /** @throws IotmpError IOTMP_ERR_BUSY when the conversation would hold too much; the sample is not added then */
  override push(sample: Sample, size: number): void {
    if (!this.#waiting.add(size)) throw tooSlowError('peer');
    this.full = this.#waiting.full;
    super.push(sample, size);
  }

  // The callbacks are never called from inside the sending: what the writer adds then comes behind what waits.
  override shift(): Sample | undefined {
    const sample = super.shift();
    if (sample === undefined) return undefined;
    const mayGoOn = this.#waiting.take(sample.size);
    this.full = this.#waiting.full;
    if (mayGoOn) queueMicrotask(guarded('conversation goes on', warnProcess, this.#onRoom));
    if (this.bytes === 0) queueMicrotask(guarded('conversation sent', warnProcess, () => this.#tellEmpty()));
    return sample;
  }

  override clear(): void {
    super.clear();
    this.#waiting.clear();
    this.full = false;
    this.#onEmpty = undefined;
  }

  override whenEmpty(then: () => void): void {
    if (this.bytes === 0) then();
    else this.#onEmpty = then;
  }

  #tellEmpty(): void {
    const then = this.#onEmpty;
    if (this.bytes > 0 || then === undefined) return;
    this.#onEmpty = undefined;
    then();
  }
}
