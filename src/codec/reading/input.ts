import { DecodeError } from '../../errors';
import { viewOf } from '../buffer-over';
import { MAX_DEPTH } from '../constants';
import type { DecodeOptions } from './decode-options';

/** A larger source is let go when it is decoded; others are kept until the next one comes. */
const MAX_HELD = 262144;

const NOTHING = Buffer.alloc(0);

/**
 * The bytes that are being decoded and the place in them. One of it serves all decoding, as decoding never calls
 * anybody else's code before it is done.
 */
export class Input {
  /** The memory that the source is a part of. */
  bytes: Buffer = NOTHING;
  /** The same bytes: reads of words and floats, and reads that TypeScript knows to give a number. */
  view = viewOf(NOTHING);
  /** Where the next byte is read. */
  position = 0;
  /** One past the last byte that may be read. */
  end = 0;
  maxDepth = MAX_DEPTH;
  shortestFloats = false;
  /** String values so far that were not UTF-8. */
  invalidTexts = 0;
  #source: Uint8Array = NOTHING;
  #start = 0;

  /** Starts to decode `source[start, end)`. */
  begin(source: Uint8Array, start: number, end: number, options: DecodeOptions | undefined): void {
    // A view costs as much as a small message. Under load a chunk holds many messages, and the frames of a WebSocket that
    // came in one read are pieces of one memory: the view is of all of that, and made once.
    if (source.buffer !== this.#source.buffer) this.#use(source);
    const { byteOffset } = source;
    this.position = byteOffset + start;
    this.end = byteOffset + end;
    this.#start = byteOffset + start;
    this.maxDepth = options?.maxDepth ?? MAX_DEPTH;
    this.shortestFloats = options?.floats === 'shortest';
    this.invalidTexts = 0;
  }

  /** Tells the caller about invalid texts. Nothing of this object is used after it: the callback may decode too. */
  finish(options: DecodeOptions | undefined): void {
    this.#letGo();
    if (this.invalidTexts === 0) return;
    const onInvalidText = options?.onInvalidText;
    for (let count = this.invalidTexts; count > 0; count--) onInvalidText?.();
  }

  /** Bytes that are left. */
  get remaining(): number {
    return this.end - this.position;
  }

  /** The error, to be thrown at once, for a fault at a position, by default the current one. */
  error(reason: string, position = this.position): DecodeError {
    this.#letGo();
    return new DecodeError(reason, position - this.#start);
  }

  #letGo(): void {
    if (this.bytes.length > MAX_HELD) this.#use(NOTHING);
  }

  #use(source: Uint8Array): void {
    this.#source = source;
    this.bytes = Buffer.from(source.buffer);
    this.view = viewOf(this.bytes);
  }
}
