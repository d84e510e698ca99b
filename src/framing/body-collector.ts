/** Room for the first piece of a body, in bytes, where the body is not smaller. */
const FIRST_ROOM = 256;

const NOTHING: Buffer = Buffer.alloc(0);

/**
 * Puts a body together that arrives in pieces. It takes memory in proportion to what has arrived, whatever size was
 * announced, and copies each byte a constant number of times on average, however small the pieces are.
 */
export class BodyCollector {
  #bytes = NOTHING;
  #length = 0;
  #size = 0;

  /** Starts a body of that size, in bytes. */
  begin(size: number): void {
    this.#size = size;
    this.#length = 0;
  }

  /** All of the body has come. */
  get complete(): boolean {
    return this.#length === this.#size;
  }

  /** Copies what belongs to the body from the chunk; returns where the rest of the chunk begins. */
  take(chunk: Buffer, offset: number): number {
    const end = Math.min(chunk.length, offset + this.#size - this.#length);
    const length = this.#length + end - offset;
    if (length > this.#bytes.length) this.#grow(length);
    chunk.copy(this.#bytes, this.#length, offset, end);
    this.#length = length;
    return end;
  }

  /** The whole body in a buffer of its own, which is not kept here: values of the message may be views of it. */
  release(): Buffer {
    const bytes = this.#bytes;
    this.#bytes = NOTHING;
    this.#length = 0;
    this.#size = 0;
    return bytes;
  }

  #grow(needed: number): void {
    const room = Math.min(this.#size, Math.max(FIRST_ROOM, 2 * needed));
    const bytes = Buffer.allocUnsafeSlow(room);
    this.#bytes.copy(bytes, 0, 0, this.#length);
    this.#bytes = bytes;
  }
}
