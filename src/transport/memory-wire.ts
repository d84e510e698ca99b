import { guarded, warnProcess } from '../util/guard';
/** How a {@link MemoryWire} carries bytes. */
export interface MemoryWireOptions {
  /** When a chunk arrives: after the code that runs now, or in a later turn of the event loop. */
  readonly delivery: 'microtask' | 'immediate';
  /** Bytes of each chunk that arrives, whatever the sizes of the messages; undefined: each message is a chunk. */
  readonly chunkBytes: number | undefined;
  /** Bytes that the wire takes before the receiver has them. */
  readonly windowBytes: number;
}

/** What the two ends of a {@link MemoryWire} hear. */
export interface MemoryWireEnds {
  /** To the receiver: bytes. */
  onChunk(chunk: Buffer): void;
  /** To the sender: everything that waited has been taken by the wire. */
  onTaken(): void;
  /** To both: the last byte has arrived and there will be no more. */
  onEnd(): void;
}

/** One direction of an in-memory connection: a queue of the sender, then a window of bytes on their way. */
export class MemoryWire {
  readonly #options: MemoryWireOptions;
  #ends: MemoryWireEnds | undefined;
  readonly #waiting = new ByteQueue();
  readonly #window = new ByteQueue();
  #flowing = false;
  #ending = false;
  #broken = false;
  #ended = false;
  #scheduled = false;

  constructor(options: MemoryWireOptions) {
    this.#options = options;
  }

  /** Bytes that the wire has not taken yet. */
  get waitingBytes(): number {
    return this.#waiting.bytes;
  }

  connect(ends: MemoryWireEnds): void {
    this.#ends = ends;
  }

  /** To be called by the sender. */
  write(message: Buffer): void {
    if (this.#ending || this.#broken) return;
    this.#waiting.push(message);
    this.#fillWindow();
    this.#schedule();
  }

  /** To be called by the sender: ends the wire after what has been written. */
  end(): void {
    this.#ending = true;
    this.#schedule();
  }

  /** To be called by the sender: ends the wire after what it has taken; what waits is lost. */
  cut(): void {
    this.#waiting.clear();
    this.end();
  }

  /** To be called by the receiver: from now on everything is swallowed. */
  break(): void {
    this.#broken = true;
    this.#window.clear();
    this.#waiting.clear();
    queueMicrotask(guarded('memory drain', warnProcess, () => this.#ends?.onTaken()));
    this.resume();
  }

  /** To be called by the receiver. */
  pause(): void {
    this.#flowing = false;
  }

  /** To be called by the receiver. */
  resume(): void {
    this.#flowing = true;
    this.#schedule();
  }

  #fillWindow(): void {
    while (this.#waiting.bytes > 0 && this.#window.bytes < this.#options.windowBytes) {
      this.#window.push(this.#waiting.take(this.#options.windowBytes - this.#window.bytes, false));
    }
  }

  #schedule(): void {
    if (this.#scheduled || this.#ended || !this.#flowing) return;
    if (this.#window.bytes === 0 && !this.#ending) return;
    this.#scheduled = true;
    const step = guarded('memory data', warnProcess, () => this.#step());
    if (this.#options.delivery === 'immediate') setImmediate(step);
    else queueMicrotask(step);
  }

  #step(): void {
    this.#scheduled = false;
    if (!this.#flowing) return;
    if (this.#window.bytes > 0) {
      const { chunkBytes } = this.#options;
      const chunk = this.#window.take(chunkBytes ?? Infinity, chunkBytes !== undefined);
      const waited = this.#waiting.bytes > 0;
      this.#fillWindow();
      this.#ends?.onChunk(chunk);
      if (waited && this.#waiting.bytes === 0) this.#ends?.onTaken();
      this.#schedule();
    } else if (this.#ending) {
      this.#ended = true;
      this.#ends?.onEnd();
    }
  }
}

/** Buffers in a row, taken out in other pieces. */
class ByteQueue {
  #chunks: Buffer[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  clear(): void {
    this.#chunks = [];
    this.#bytes = 0;
  }

  /** Takes at most `limit` bytes: of the first chunk, or with `join` of as many as it needs. */
  take(limit: number, join: boolean): Buffer {
    const pieces: Buffer[] = [];
    let taken = 0;
    do {
      const first = this.#chunks.shift();
      if (first === undefined) break;
      const piece = first.subarray(0, limit - taken);
      if (piece.length < first.length) this.#chunks.unshift(first.subarray(piece.length));
      pieces.push(piece);
      taken += piece.length;
    } while (join && taken < limit);
    this.#bytes -= taken;
    const [only] = pieces;
    return pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces);
  }
}
