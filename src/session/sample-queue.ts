/** Samples of one stream that wait until the peer reads again, or until the stream is open. */
export class SampleQueue {
  readonly #waiting: Buffer[] = [];
  readonly #limit: number;
  #bytes = 0;
  /** Samples that gave way to newer ones. */
  dropped = 0;
  /** Whether samples wait for the stream to open, even while the peer reads. */
  held = false;

  /** @param limit most samples that wait */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a sample; the oldest one gives way when the queue is full. */
  push(sample: Buffer): void {
    if (this.#waiting.length >= this.#limit) this.dropOldest();
    this.#waiting.push(sample);
    this.#bytes += sample.length;
  }

  /** The oldest waiting sample. */
  shift(): Buffer | undefined {
    const sample = this.#waiting.shift();
    this.#bytes -= sample?.length ?? 0;
    return sample;
  }

  /** Lets the oldest sample give way. */
  dropOldest(): void {
    if (this.shift() !== undefined) this.dropped++;
  }

  /** Drops everything. */
  clear(): void {
    this.#waiting.length = 0;
    this.#bytes = 0;
  }
}
