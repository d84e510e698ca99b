import { BodyCollector } from './body-collector';
import { FrameHeader } from './frame-header';
import { SkippedBody } from './skipped-body';

/** Receives the messages of a {@link FrameDecoder}. It is an object, as functions for each connection cost memory. */
export interface FrameReceiver {
  /**
   * Takes one whole message: its type, and where its body is. The bytes are never written again, so that parts of
   * them may be kept.
   */
  handleFrame(type: number, bytes: Buffer, start: number, end: number): void;
  /** Takes a message that was too large to be kept, and not too large to be skipped: its type, and its body without bytes. */
  handleSkipped?(type: number, body: SkippedBody): void;
}

const NOTHING: Buffer = Buffer.alloc(0);

/**
 * Cuts a byte stream into messages (`protocol.md` section 1). A message that is whole within one chunk is handed out
 * where it lies, without a copy.
 *
 * While it is paused, chunks are kept as they are: whoever pauses it also pauses their source, which bounds them.
 *
 * `push` and `resume` throw what the receiver throws; that message is consumed then, and the next call goes on behind it.
 * They throw for a header that breaks the rules as well: then nothing more can be decoded, and every later call throws
 * the same until {@link reset}.
 */
export class FrameDecoder {
  readonly #receiver: FrameReceiver;
  /** The body that is being skipped. */
  #skipped: SkippedBody | undefined;
  /** Largest body that is skipped, in bytes. */
  #maxSkipped: number;
  #maxBodySize: number;
  /** Made when a header is more than two bytes, or cut; and when a body is cut. Idle connections need neither. */
  #header: FrameHeader | undefined;
  #body: BodyCollector | undefined;
  /** What is being read, and from where. */
  #chunk = NOTHING;
  #offset = 0;
  /** Chunks that came while it was paused or delivering, and the index of the first one that is not used up. */
  #waiting: Buffer[] = [];
  #nextWaiting = 0;
  /** A part of the current message has been taken in. */
  #inMessage = false;
  #collecting = false;
  #paused = false;
  #delivering = false;

  /** @param maxBodySize largest body that is accepted, in bytes */
  constructor(maxBodySize: number, receiver: FrameReceiver) {
    this.#maxBodySize = maxBodySize;
    this.#maxSkipped = maxBodySize;
    this.#receiver = receiver;
  }

  /**
   * Accepts bodies of another size from the next message on, in bytes.
   * @param maxSkipped size up to which larger bodies are skipped; a body past it is an error
   */
  limit(maxBodySize: number, maxSkipped = maxBodySize): void {
    this.#maxBodySize = maxBodySize;
    this.#maxSkipped = Math.max(maxBodySize, maxSkipped);
    if (this.#header !== undefined) this.#header.maxBodySize = this.#maxSkipped;
  }

  /** Whether a body is being skipped. */
  get skipping(): boolean {
    return this.#skipped !== undefined;
  }

  /** Nothing is delivered until {@link resume}. */
  get paused(): boolean {
    return this.#paused;
  }

  /**
   * Takes bytes, cut anywhere, and delivers the messages that they complete. The chunk may not be written again.
   *
   * @throws DecodeError `varint`, IotmpError `IOTMP_ERR_PROTOCOL` or `IOTMP_ERR_TOO_LARGE` for a bad header.
   */
  push(chunk: Buffer): void {
    if (this.#header?.fault === undefined) this.#enqueue(chunk);
    this.#deliver();
  }

  /** Delivers no more messages until {@link resume}; the receiver may call it. */
  pause(): void {
    this.#paused = true;
  }

  /** Goes on with the bytes that are left, and throws as {@link push} does. */
  resume(): void {
    this.#paused = false;
    this.#deliver();
  }

  /** Forgets everything that was received, as if new. When the receiver calls it, no other message follows. */
  reset(): void {
    this.#dropInput();
    this.#endMessage();
    this.#body = undefined;
    this.#skipped = undefined;
    this.#paused = false;
  }

  #enqueue(chunk: Buffer): void {
    if (this.#offset < this.#chunk.length || this.#nextWaiting < this.#waiting.length) {
      this.#waiting.push(chunk);
    } else {
      this.#chunk = chunk;
      this.#offset = 0;
    }
  }

  #deliver(): void {
    if (this.#header?.fault !== undefined) throw this.#header.fault;
    if (this.#delivering) return;
    this.#delivering = true;
    try {
      // Asked anew each time: the receiver may pause, reset or push.
      while (!this.#paused && this.#hasInput()) this.#step();
    } finally {
      this.#delivering = false;
    }
  }

  #hasInput(): boolean {
    while (this.#offset >= this.#chunk.length) {
      const next = this.#waiting[this.#nextWaiting];
      this.#dropChunk();
      if (next === undefined) return false;
      this.#waiting[this.#nextWaiting++] = NOTHING;
      this.#chunk = next;
    }
    return true;
  }

  #step(): void {
    const chunk = this.#chunk;
    const start = this.#offset + 2;
    // Nearly every header is two bytes, and nearly every message whole: no state is touched for those.
    if (!this.#inMessage && start <= chunk.length) {
      const type = chunk[start - 2] ?? 0;
      const size = chunk[start - 1] ?? 0;
      const end = start + size;
      if (type > 0 && type < 0x80 && size < 0x80 && size <= this.#maxBodySize && end <= chunk.length) {
        this.#offset = end;
        this.#receiver.handleFrame(type, chunk, start, end);
        return;
      }
    }
    this.#readPart();
  }

  /** Takes what the chunk has of the current message, and delivers the message if that completes it. */
  #readPart(): void {
    this.#inMessage = true;
    const header = (this.#header ??= new FrameHeader(this.#maxSkipped));
    this.#readHeader(header);
    if (!header.complete) return;
    const { type, size } = header;
    if (this.#skipped !== undefined || size > this.#maxBodySize) {
      this.#skip(type, size);
      return;
    }
    // Some clients write header and body one after the other: such a body may still be whole in the next chunk.
    if (!this.#collecting && size > 0 && this.#offset === this.#chunk.length) return;
    if (this.#collecting || this.#offset + size > this.#chunk.length) {
      this.#collect(type, size);
      return;
    }
    const start = this.#offset;
    this.#offset = start + size;
    this.#endMessage();
    this.#receiver.handleFrame(type, this.#chunk, start, start + size);
  }

  #readHeader(header: FrameHeader): void {
    while (!header.complete && this.#offset < this.#chunk.length) {
      header.take(this.#chunk[this.#offset++] ?? 0);
      if (header.fault === undefined) continue;
      this.#dropInput();
      throw header.fault;
    }
  }

  #collect(type: number, size: number): void {
    const body = (this.#body ??= new BodyCollector());
    if (!this.#collecting) body.begin(size);
    this.#collecting = true;
    this.#offset = body.take(this.#chunk, this.#offset);
    if (!body.complete) return;
    const bytes = body.release();
    this.#endMessage();
    this.#receiver.handleFrame(type, bytes, 0, size);
  }

  #skip(type: number, size: number): void {
    const skipped = (this.#skipped ??= new SkippedBody(size));
    this.#offset = skipped.take(this.#chunk, this.#offset);
    if (!skipped.complete) return;
    this.#skipped = undefined;
    this.#endMessage();
    this.#receiver.handleSkipped?.(type, skipped);
  }

  #endMessage(): void {
    this.#header?.reset();
    this.#inMessage = false;
    this.#collecting = false;
  }

  #dropChunk(): void {
    this.#chunk = NOTHING;
    this.#offset = 0;
    if (this.#nextWaiting < this.#waiting.length) return;
    this.#nextWaiting = 0;
    if (this.#waiting.length > 0) this.#waiting = [];
  }

  #dropInput(): void {
    this.#nextWaiting = this.#waiting.length;
    this.#dropChunk();
  }
}
