import { PsonType } from '../../codec/constants';
import type { MapKeys } from '../../codec/map-keys';
import { encodeStreamData, payloadOf, streamDataSize } from '../../codec/writing/stream-data';
import { IotmpError } from '../../errors';

const NOTHING = Buffer.alloc(0);

/**
 * A payload that has been encoded, for all streams that carry it. Their ids may differ, but those who run the same
 * program subscribe under the same id: the last message is kept for the next stream.
 */
export class EncodedPayload {
  readonly #mark: boolean;
  #bytes: Buffer | undefined;
  #message: Buffer | undefined;
  #streamId = -1;
  #marked: EncodedPayload | undefined;
  #values: EncodedPayload | undefined;
  #valuesKeys: MapKeys | undefined;

  private constructor(mark: boolean, bytes?: Buffer) {
    this.#mark = mark;
    this.#bytes = bytes;
  }

  /** The payload of a STREAM_DATA that holds nothing else. */
  static in(message: Buffer, streamId: number): EncodedPayload {
    const payload = new EncodedPayload(false);
    payload.#message = message;
    payload.#streamId = streamId;
    return payload;
  }

  /** The payload alone; empty when there is none. */
  get bytes(): Buffer {
    this.#bytes ??= this.#message === undefined ? NOTHING : payloadOf(this.#message);
    return this.#bytes;
  }

  get isMap(): boolean {
    return this.#type === PsonType.MAP;
  }

  get isArray(): boolean {
    return this.#type === PsonType.ARRAY;
  }

  /** The same payload, whose messages say that it is to be taken as it stands (`protocol.md` section 6). */
  get marked(): EncodedPayload {
    this.#marked ??= new EncodedPayload(true, this.bytes);
    return this.#marked;
  }

  /** The values alone, where the payload is a map with exactly these keys. */
  valuesBy(keys: MapKeys): EncodedPayload | undefined {
    if (this.#valuesKeys !== keys) {
      const values = keys.valuesOf(this.bytes);
      this.#values = values && new EncodedPayload(false, values);
      this.#valuesKeys = keys;
    }
    return this.#values;
  }

  /** The STREAM_DATA that carries it in a stream. */
  message(streamId: number): Buffer {
    if (this.#message === undefined || this.#streamId !== streamId) {
      this.#message = encodeStreamData(streamId, this.bytes, this.#mark);
      this.#streamId = streamId;
    }
    return this.#message;
  }

  /** @throws IotmpError IOTMP_ERR_TOO_LARGE when the body of the message would pass this size, in bytes */
  check(streamId: number, maxBodySize: number): void {
    if (streamDataSize(streamId, this.bytes) <= maxBodySize) return;
    throw new IotmpError('IOTMP_ERR_TOO_LARGE', `message body larger than ${maxBodySize} bytes`);
  }

  get #type(): number {
    return (this.bytes[0] ?? 0) >> 5;
  }
}
