import { MapKeys } from '../codec/map-keys';

/** The keys that the samples of a resource had last: its streams hold the same object for the same keys. */
export class SampleKeys {
  #latest: MapKeys | undefined;

  /** The keys of an encoded map that has a compact form; `undefined` for any other value. */
  of(value: Buffer): MapKeys | undefined {
    if (this.#latest?.valuesOf(value) === undefined) this.#latest = MapKeys.of(value);
    return this.#latest;
  }
}
