import type { QueueLimits } from '../../util/bounded-queue';
import { guarded, warnProcess } from '../../util/guard';
import type { Sample } from './sample';
import type { SampleForm } from './sample-form';
import { SampleQueue } from './sample-queue';

const MIB = 2 ** 20;

/**
 * Limits of the queue of one subscription to messages, which are events and topics. Messages have many readers, so no
 * publisher is stopped for a slow one.
 */
export const MessageLimits = {
  /** Events, and topics with a `qos` of 0: past 1 MiB, the oldest message is lost. */
  lossy: Object.freeze<QueueLimits>({ items: Infinity, bytes: MIB, past: 'drop-oldest' }),
  /** Topics with a `qos` above 0: no message is lost, and past 4 MiB the subscription ends. */
  assured: Object.freeze<QueueLimits>({ items: Infinity, bytes: 4 * MIB, past: 'refuse' }),
} as const;

/** Messages of one subscription that wait until the peer reads again. */
export class MessageQueue extends SampleQueue {
  override readonly share = 16;
  readonly #onEmpty: () => void;

  /** @param onEmpty called whenever all waiting messages have been sent */
  constructor(form: SampleForm, onEmpty: () => void) {
    super(form, MessageLimits.lossy);
    this.#onEmpty = onEmpty;
  }

  // Not called from inside the sending: a message that is written then comes behind the waiting ones.
  override shift(): Sample | undefined {
    const sample = super.shift();
    if (sample !== undefined && this.length === 0) {
      queueMicrotask(guarded('messages sent', warnProcess, this.#onEmpty));
    }
    return sample;
  }
}
