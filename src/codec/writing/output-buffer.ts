import { bufferOver, viewOf } from '../buffer-over';
import { MAX_ENCODED_SIZE } from '../constants';
import { EncodeFailure } from './encode-failure';

/**
 * Bytes that may be written without a further check after {@link OutputBuffer.ensure}: a number or a short text (17 at
 * most) and the cached key that follows it (31). So one check for each value is enough.
 */
export const SLACK = 64;
/** Small messages are encoded straight into blocks of this size and handed out as views of them. */
const SLAB_SIZE = 16384;
/** A message starts in a fresh slab where fewer bytes than this are left. */
const SLAB_MIN_ROOM = 512;
const FIRST_SCRATCH_SIZE = 65536;
/** A larger scratch buffer is not kept for the next message. */
const MAX_KEPT_SCRATCH = 1024 * 1024;
/** A single value of this size gets a buffer of its own, which becomes the result. */
const LARGE_VALUE = 32768;
/** The size estimates for texts may be this much too high before a limit is certainly passed. */
const ESTIMATE_ERROR = 65536;

/**
 * Where a message is encoded: a slab while it is small, a growing scratch buffer when it is not.
 *
 * Writing into the slab and handing out a view of it saves the copy of each small message, at the price that a kept
 * message keeps its slab: the same bargain as Node's own buffer pool. Positions are the same in slab and scratch, so
 * growing never moves what the callers remember.
 */
export class OutputBuffer {
  /** The target; changes when it grows, so it is read again after every call that may write. */
  bytes: Buffer;
  /** The same bytes, for words and floats. */
  view: DataView;
  /** Where the next byte goes. */
  position = 0;
  /** Up to this position, {@link SLACK} bytes can be written. */
  safeEnd = 0;
  #slab: Buffer;
  #slabView: DataView;
  #slabUsed = 0;
  #scratch: Buffer | undefined;
  #start = 0;
  #limit = MAX_ENCODED_SIZE;
  #busy = false;

  constructor() {
    this.#slab = Buffer.allocUnsafeSlow(SLAB_SIZE);
    this.#slabView = viewOf(this.#slab);
    this.bytes = this.#slab;
    this.view = this.#slabView;
    this.safeEnd = SLAB_SIZE - SLACK;
  }

  /** True between {@link begin} and {@link end}: a getter that encodes needs another buffer. */
  get busy(): boolean {
    return this.#busy;
  }

  /** Starts a result. Writing far past `limit` bytes fails early; the exact check is the caller's. */
  begin(limit: number): void {
    if (this.#slabUsed > SLAB_SIZE - SLAB_MIN_ROOM) this.#newSlab();
    this.#busy = true;
    this.#limit = limit;
    this.#start = this.#slabUsed;
    this.position = this.#slabUsed;
  }

  /** Makes room for {@link SLACK} bytes: cheap enough to be called for every value. */
  ensure(): void {
    if (this.position > this.safeEnd) this.#grow(SLACK);
  }

  /** Makes room for `size` bytes, and {@link SLACK} bytes after them. */
  reserve(size: number): void {
    if (this.position + size > this.safeEnd) this.#grow(size + SLACK);
  }

  /** The bytes from `from` to the position, as a Buffer that nothing here will write again. */
  take(from: number): Buffer {
    const end = this.position;
    if (this.bytes === this.#slab) {
      this.#slabUsed = end;
      return bufferOver(this.#slabView.buffer, from, end - from);
    }
    // A buffer made for one large value is nearly full: handing it out saves copying that value a second time.
    const isOwn = this.bytes !== this.#scratch;
    if (isOwn && end - from > this.bytes.length / 2) return this.bytes.subarray(from, end);
    const result = Buffer.allocUnsafeSlow(end - from);
    this.bytes.copy(result, 0, from, end);
    return result;
  }

  /** Ends a result, taken or failed: the next one may begin. */
  end(): void {
    this.#busy = false;
    if (this.bytes === this.#slab) return;
    if (this.#scratch !== undefined && this.#scratch.length > MAX_KEPT_SCRATCH) this.#scratch = undefined;
    this.#use(this.#slab, this.#slabView);
  }

  #newSlab(): void {
    this.#slab = Buffer.allocUnsafeSlow(SLAB_SIZE);
    this.#slabView = viewOf(this.#slab);
    this.#slabUsed = 0;
    this.#use(this.#slab, this.#slabView);
  }

  #grow(size: number): void {
    // Messages of this size may follow: they shall start where they have room.
    if (this.bytes === this.#slab && this.#start > 0) this.#slabUsed = SLAB_SIZE;
    const used = this.position - this.#start;
    if (used > this.#limit || used + size > this.#limit + ESTIMATE_ERROR) throw tooLarge(this.#limit);
    const target = this.#largerBuffer(this.position + size, size > used && size >= LARGE_VALUE);
    this.bytes.copy(target, this.#start, this.#start, this.position);
    this.#use(target, viewOf(target));
  }

  #largerBuffer(needed: number, forOneValue: boolean): Buffer {
    if (forOneValue) return Buffer.allocUnsafeSlow(needed + SLACK);
    const scratch = this.#scratch;
    if (scratch !== undefined && scratch !== this.bytes && scratch.length >= needed) return scratch;
    this.#scratch = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.bytes.length, FIRST_SCRATCH_SIZE));
    return this.#scratch;
  }

  #use(bytes: Buffer, view: DataView): void {
    this.bytes = bytes;
    this.view = view;
    this.safeEnd = bytes.length - SLACK;
  }
}

const shared = new OutputBuffer();

/**
 * An output in which a result has begun. All results share one, but for a result that is encoded by a getter or a
 * `toJSON()` of another: that gets its own.
 */
export function acquireOutput(limit: number): OutputBuffer {
  const out = shared.busy ? new OutputBuffer() : shared;
  out.begin(limit);
  return out;
}

/** The failure of a value or body that passes its limit, in bytes. */
export function tooLarge(limit: number): EncodeFailure {
  return new EncodeFailure(`message body larger than ${limit} bytes`, { code: 'IOTMP_ERR_TOO_LARGE' });
}
