import { BoundedQueue, type QueueLimits } from '../../util/bounded-queue';
import type { Sample } from './sample';
import type { SampleForm } from './sample-form';

/**
 * Samples of one stream that wait until the peer reads again, or until the stream is open. Their form is decided when
 * they leave: the peer reads a compact one by those that it got, not by those that gave way.
 */
export class SampleQueue extends BoundedQueue<Sample> {
  /** How the stream's samples are sent. */
  readonly form: SampleForm;
  /** Whether no sample gives way to a newer one. */
  readonly lossless: boolean = false;
  /** Part of the connection that all such queues share: this many times `maxBufferedBytes` may wait in them together. */
  readonly share: number = 4;
  /** Whether samples wait for the stream to open, even while the peer reads. */
  held = false;
  /** Whether so much waits that the writer should stop. Samples give way instead. */
  full = false;

  constructor(form: SampleForm, limits: QueueLimits) {
    super(limits);
    this.form = form;
  }

  /** Calls back once all that must arrive has left; not at all when the queue is cleared before. */
  whenEmpty(then: () => void): void {
    then();
  }
}
