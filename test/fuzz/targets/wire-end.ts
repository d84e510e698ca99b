import type { Transport, TransportHandler } from '../../../src/transport/transport';

/** A connection whose other end is the fuzzer: what is sent is kept, and what arrives is handed over at once. */
export class WireEnd implements Transport {
  readonly kind = 'memory';
  readonly remoteAddress = '192.0.2.7:1';
  readonly bufferedBytes = 0;
  /** What the session sent. */
  readonly sent: Buffer[] = [];
  #handler: TransportHandler | undefined;
  #waiting: Buffer[] = [];
  #paused = false;
  #ended = false;
  #told = false;

  get ended(): boolean {
    return this.#ended;
  }

  start(handler: TransportHandler): void {
    this.#handler = handler;
  }

  send(message: Buffer): boolean {
    if (!this.#ended) this.sent.push(message);
    return true;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
  }

  close(): void {
    this.#ended = true;
  }

  destroy(): void {
    this.#ended = true;
  }

  /** Lets bytes arrive; those for a paused end wait for {@link flush}. */
  arrive(chunk: Buffer): void {
    this.#waiting.push(chunk);
    this.flush();
  }

  /** Hands over what waits, and the end. */
  flush(): void {
    while (!this.#paused && !this.#ended) {
      const chunk = this.#waiting.shift();
      if (chunk === undefined) break;
      this.#handler?.onData(chunk);
    }
    if (!this.#ended || this.#told) return;
    this.#told = true;
    this.#handler?.onClose();
  }
}
