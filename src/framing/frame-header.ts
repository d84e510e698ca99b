import { MessageType } from '../codec/constants';
import { DecodeError, IotmpError } from '../errors';

/** Devices pad varints at most to the length that 32 bits need. */
const MAX_VARINT_BYTES = 5;

/**
 * The header of a message, taken in byte by byte (`protocol.md` section 1): it may be cut anywhere, and padded
 * varints are accepted.
 */
export class FrameHeader {
  /** Valid once {@link complete}. */
  type = 0;
  /** Of the body, in bytes; valid once {@link complete}. */
  size = 0;
  complete = false;
  /** Why this can be no header; nothing can be decoded behind it. */
  fault: IotmpError | undefined;
  /** Largest body that is accepted, in bytes. */
  maxBodySize: number;
  #hasType = false;
  #value = 0;
  #scale = 1;
  #bytes = 0;
  #typeBytes = 0;

  constructor(maxBodySize: number) {
    this.maxBodySize = maxBodySize;
  }

  /**
   * Takes the next byte, until {@link complete} or {@link fault}: a DecodeError for a varint of more than five bytes,
   * `IOTMP_ERR_PROTOCOL` for the reserved type, `IOTMP_ERR_TOO_LARGE` for a size past the limit.
   */
  take(byte: number): void {
    this.#value += (byte & 0x7f) * this.#scale;
    this.#scale *= 128;
    this.#bytes++;
    if (byte < 0x80) this.#endVarint();
    else if (this.#bytes === MAX_VARINT_BYTES) this.fault = new DecodeError('varint', this.#typeBytes);
  }

  /** Makes ready for the next message. */
  reset(): void {
    this.complete = false;
    this.fault = undefined;
    this.#hasType = false;
    this.#typeBytes = 0;
    this.#startVarint();
  }

  #endVarint(): void {
    if (this.#hasType) this.#setSize(this.#value);
    else this.#setType(this.#value);
    this.#startVarint();
  }

  #setType(type: number): void {
    if (type === MessageType.RESERVED) {
      this.fault = new IotmpError('IOTMP_ERR_PROTOCOL', 'message of the reserved type 0');
    }
    this.type = type;
    this.#hasType = true;
    this.#typeBytes = this.#bytes;
  }

  #setSize(size: number): void {
    if (size > this.maxBodySize) {
      const message = `message body of ${size} bytes, past the limit of ${this.maxBodySize}`;
      this.fault = new IotmpError('IOTMP_ERR_TOO_LARGE', message);
    }
    this.size = size;
    this.complete = true;
  }

  #startVarint(): void {
    this.#value = 0;
    this.#scale = 1;
    this.#bytes = 0;
  }
}
