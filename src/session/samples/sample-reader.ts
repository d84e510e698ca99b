import { areRestorable } from '../../codec/map-keys';
import { OUTPUT_MARK } from '../../codec/writing/stream-data';
import { isMap, type Value } from '../../types';

/** Reads the samples of a stream that was opened with the wish for the compact form (`protocol.md` section 6). */
export class SampleReader {
  /** Those of the last map that came in full. */
  #keys: readonly string[] | undefined;

  /** The sample as it was before it was sent: of an array of values, the map with the keys that are known. */
  read(payload: Value | undefined, parameters: Value | undefined): Value | undefined {
    if (parameters === OUTPUT_MARK) return payload;
    if (Array.isArray(payload)) {
      const keys = this.#keys;
      return keys?.length === payload.length ? restored(keys, payload) : payload;
    }
    if (isMap(payload)) this.#learn(payload);
    return payload;
  }

  #learn(map: Record<string, Value>): void {
    const keys = Object.keys(map);
    this.#keys = areRestorable(keys) ? keys : undefined;
  }
}

function restored(keys: readonly string[], values: readonly Value[]): Record<string, Value> {
  const map: Record<string, Value> = {};
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index] ?? '';
    const value = values[index] ?? null;
    if (key === '__proto__') Object.defineProperty(map, key, { value, ...OWN });
    else map[key] = value;
  }
  return map;
}

/** As if it had been assigned. */
const OWN = { writable: true, enumerable: true, configurable: true };
