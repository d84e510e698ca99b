import { MARK_SIZE } from '../../codec/writing/stream-data';
import { MapKeys } from '../../codec/map-keys';
import type { EncodedPayload } from './encoded-payload';
import type { Sample } from './sample';

/** The keys of the last sample of a resource. All its streams hold the same object for the same keys. */
export class SampleKeys {
  #latest: MapKeys | undefined;

  /** The keys of an encoded map that has a compact form; `undefined` for any other value. */
  of(value: Buffer): MapKeys | undefined {
    if (this.#latest?.valuesOf(value) === undefined) this.#latest = MapKeys.of(value);
    return this.#latest;
  }
}

/**
 * What a stream's samples may be sent as:
 * - `full`: always as they are; the peer does not know the compact form;
 * - `marked`: the same, but an array that comes after a map is marked, as the stream may have been or become compact;
 * - `compact`: a map with the keys of the one before it as the array of its values (`protocol.md` section 6).
 */
export type FormKind = 'full' | 'marked' | 'compact';

/** How the samples of one stream are sent: what the peer has seen of it decides. */
export class SampleForm {
  readonly streamId: number;
  readonly #kind: FormKind;
  readonly #known: SampleKeys | undefined;
  /** Those of the last map that went out in full. */
  #keys: MapKeys | undefined;
  /** Whether a map was sent under the stream's id, so that the peer may take an array for the values of one. */
  #mapped = false;

  /**
   * @param known the keys of the resource's other streams; only the compact form needs them
   * @param replaced the form of the stream that had the id before, where the peer has started it again
   */
  constructor(streamId: number, kind: FormKind, known?: SampleKeys, replaced?: SampleForm) {
    this.streamId = streamId;
    this.#kind = kind;
    this.#known = known;
    if (replaced !== undefined) this.#mapped = replaced.#mapped;
  }

  /**
   * Encodes a sample and sees that it fits, in whatever form it will be sent.
   * @throws IotmpError IOTMP_ERR_ENCODE or IOTMP_ERR_TOO_LARGE
   */
  prepare(sample: Sample, maxBodySize: number): EncodedPayload {
    const room = this.#kind === 'full' ? 0 : MARK_SIZE;
    return sample.payload(this.streamId, maxBodySize - room);
  }

  /**
   * The message for the next sample. It has to be sent: the peer will read the later ones by it.
   * @throws IotmpError as {@link prepare}
   */
  next(sample: Sample, maxBodySize: number): Buffer {
    return this.#choose(this.prepare(sample, maxBodySize)).message(this.streamId);
  }

  #choose(payload: EncodedPayload): EncodedPayload {
    if (this.#kind === 'full') return payload;
    if (payload.isArray) return this.#mapped ? payload.marked : payload;
    if (!payload.isMap) return payload;
    const values = this.#keys && payload.valuesBy(this.#keys);
    if (values !== undefined) return values;
    this.#mapped = true;
    if (this.#kind === 'compact') this.#keys = this.#known?.of(payload.bytes);
    return payload;
  }
}
