import { FieldId, FloatKind, MAX_STREAM_ID, PsonType, WireType } from '../codec/constants';

/** Longest varint, in bytes. */
const MAX_VARINT_BYTES = 10;
/** Value of the lower five bits of a tag that says that a varint with the number follows. */
const LONG_FORM = 31;

/** The part of a body that the next byte belongs to. `lost` means that the fields cannot be told apart any more. */
type Part = 'key' | 'number' | 'tag' | 'length' | 'bytes' | 'lost';

/**
 * A body that is too large to be kept. It is read as it comes and no byte is held, only the stream id is looked for:
 * devices send it before or behind the payload.
 */
export class SkippedBody {
  /** Size of the whole body, in bytes. */
  readonly size: number;
  #rest: number;
  #part: Part = 'key';
  /** Values of the field at hand that are still to come. */
  #values = 0;
  #isStreamId = false;
  /** Bytes that nothing is read of, at the part `bytes`. */
  #ahead = 0;
  #tag = 0;
  /** The varint at hand. */
  #varint = 0;
  #scale = 1;
  #varintBytes = 0;
  #streamId: number | undefined;

  constructor(size: number) {
    this.size = size;
    this.#rest = size;
  }

  /** Whether all of the body has come. */
  get complete(): boolean {
    return this.#rest === 0;
  }

  /** The stream id, once the body is complete: 0 if it has none, and undefined if the id could not be found. */
  get streamId(): number | undefined {
    if (this.#streamId !== undefined) return this.#streamId;
    return this.#part === 'key' && this.#varintBytes === 0 ? 0 : undefined;
  }

  /** Reads the bytes of the chunk that belong to the body; returns the position behind them. */
  take(chunk: Buffer, offset: number): number {
    const end = Math.min(chunk.length, offset + this.#rest);
    for (let at = offset; at < end;) {
      if (this.#part === 'lost') break;
      if (this.#part === 'bytes') {
        const length = Math.min(this.#ahead, end - at);
        at += length;
        this.#ahead -= length;
        if (this.#ahead === 0) this.#endValue();
      } else this.#read(chunk[at++] ?? 0);
    }
    this.#rest -= end - offset;
    return end;
  }

  #read(byte: number): void {
    if (this.#part === 'tag') this.#readTag(byte);
    else if (this.#readVarint(byte)) this.#endVarint();
  }

  /** Returns true when the varint is whole. */
  #readVarint(byte: number): boolean {
    this.#varint += (byte & 0x7f) * this.#scale;
    this.#scale *= 128;
    this.#varintBytes++;
    if (byte < 0x80) return true;
    if (this.#varintBytes === MAX_VARINT_BYTES) this.#part = 'lost';
    return false;
  }

  #endVarint(): void {
    const value = this.#varint;
    this.#varint = 0;
    this.#scale = 1;
    this.#varintBytes = 0;
    if (this.#part === 'key') this.#beginField(value);
    else if (this.#part === 'number') {
      if (this.#isStreamId) this.#noteStreamId(value);
      this.#endValue();
    } else this.#beginValue(this.#tag >> 5, value);
  }

  #beginField(key: number): void {
    const wireType = key % 8;
    this.#isStreamId = Math.floor(key / 8) === FieldId.STREAM_ID;
    this.#values = 1;
    if (wireType === WireType.VARINT) this.#part = 'number';
    else this.#part = wireType === WireType.PSON ? 'tag' : 'lost';
  }

  #readTag(tag: number): void {
    this.#tag = tag;
    const number = tag & LONG_FORM;
    if (number === LONG_FORM) this.#part = 'length';
    else this.#beginValue(tag >> 5, number);
  }

  #beginValue(type: number, number: number): void {
    if (this.#isStreamId) this.#noteStreamId(type === PsonType.UNSIGNED ? number : NaN);
    if (this.#part === 'lost') return;
    switch (type) {
      case PsonType.FLOAT:
        if (number === FloatKind.FLOAT32) this.#pass(4);
        else if (number === FloatKind.FLOAT64) this.#pass(8);
        else this.#part = 'lost';
        break;
      case PsonType.STRING:
      case PsonType.BYTES:
        this.#pass(number);
        break;
      case PsonType.MAP:
        this.#values += 2 * number;
        this.#endValue();
        break;
      case PsonType.ARRAY:
        this.#values += number;
        this.#endValue();
        break;
      default:
        this.#endValue();
    }
  }

  /** More bytes than the body has belong to no value. */
  #pass(length: number): void {
    this.#ahead = length;
    if (length > this.size) this.#part = 'lost';
    else if (length === 0) this.#endValue();
    else this.#part = 'bytes';
  }

  /** Each value has at least one byte, so more values than bytes are a lie. */
  #endValue(): void {
    this.#values--;
    if (this.#values > this.size) this.#part = 'lost';
    else this.#part = this.#values > 0 ? 'tag' : 'key';
  }

  #noteStreamId(value: number): void {
    if (Number.isInteger(value) && value <= MAX_STREAM_ID) this.#streamId = value;
    else this.#part = 'lost';
  }
}
