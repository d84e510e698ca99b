import { MessageType } from '../../codec/constants';
import { encodeMessage } from '../../codec/writing/message-encoder';
import { EncodedPayload } from './encoded-payload';

/** What a message needs beside its payload, in bytes, about. */
const OVERHEAD = 8;

/** A value on its way into one stream or many: it is encoded once, for the first of them. */
export class Sample {
  #value: unknown;
  #payload: EncodedPayload | undefined;

  constructor(value: unknown) {
    this.#value = value;
  }

  /** Bytes that it takes on its way, about. It has to be encoded before. */
  get size(): number {
    return OVERHEAD + (this.#payload?.bytes.length ?? 0);
  }

  /**
   * The encoded value, which fits into a message of this stream.
   * @throws IotmpError IOTMP_ERR_ENCODE or IOTMP_ERR_TOO_LARGE
   */
  payload(streamId: number, maxBodySize: number): EncodedPayload {
    if (this.#payload !== undefined) {
      this.#payload.check(streamId, maxBodySize);
      return this.#payload;
    }
    const message = { type: MessageType.STREAM_DATA, streamId, payload: this.#value };
    this.#payload = EncodedPayload.in(encodeMessage(message, maxBodySize), streamId);
    this.#value = undefined;
    return this.#payload;
  }
}
