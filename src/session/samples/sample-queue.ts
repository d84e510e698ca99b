import type { Sample } from './sample';
import type { SampleForm } from './sample-form';
import { Fifo } from '../../util/fifo';

/**
 * Samples of one stream that wait until the peer reads again, or until the stream is open. Their form is decided when
 * they leave: the peer reads a compact one by those that it got, not by those that gave way.
 */
export class SampleQueue {
  /** How the stream's samples are sent. */
  readonly form: SampleForm;
  /** Whether no sample gives way to a newer one. */
  readonly lossless: boolean = false;
  readonly #waiting = new Fifo<Sample>();
  readonly #limit: number;
  #bytes = 0;
  /** Samples that gave way to newer ones. */
  dropped = 0;
  /** Whether samples wait for the stream to open, even while the peer reads. */
  held = false;
  /** Whether so much waits that the writer should stop. Samples give way instead. */
  full = false;

  /** @param limit most samples that wait */
  constructor(form: SampleForm, limit: number) {
    this.form = form;
    this.#limit = limit;
  }

  /** Bytes that wait, about. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a sample, which has been encoded; the oldest one gives way when the queue is full. */
  push(sample: Sample): void {
    if (this.#waiting.length >= this.#limit) this.dropOldest();
    this.#waiting.push(sample);
    this.#bytes += sample.size;
  }

  /** The oldest waiting sample. */
  shift(): Sample | undefined {
    const sample = this.#waiting.shift();
    this.#bytes -= sample?.size ?? 0;
    return sample;
  }

  /** Lets the oldest sample give way. */
  dropOldest(): void {
    if (this.shift() !== undefined) this.dropped++;
  }

  /** Calls back once all that must arrive has left; not at all when the queue is cleared before. */
  whenEmpty(then: () => void): void {
    then();
  }

  /** Drops everything. */
  clear(): void {
    this.#waiting.clear();
    this.#bytes = 0;
  }
}
