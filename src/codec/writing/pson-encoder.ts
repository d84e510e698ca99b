import { MAX_ENCODED_SIZE } from '../constants';
import { encodeError } from './encode-failure';
import { acquireOutput, tooLarge } from './output-buffer';
import { writeRoot } from './value-writer';

/**
 * Encodes one value as PSON, in its canonical form (`protocol.md` section 3).
 *
 * Beside the JSON types it takes BigInt (-2^63 to 2^64-1), bytes (`Uint8Array`, `ArrayBuffer`, `DataView`), `Map` with
 * string keys, `Set`, `Date` (as ISO text) and objects with `toJSON()`. `undefined` is left out of maps and is null
 * elsewhere. A lone surrogate becomes U+FFFD.
 *
 * @throws IotmpError `IOTMP_ERR_ENCODE` for what PSON cannot carry, naming its path; `IOTMP_ERR_TOO_LARGE` past 16 MiB.
 */
export function encodeValue(value: unknown): Buffer {
  const out = acquireOutput(MAX_ENCODED_SIZE);
  const start = out.position;
  try {
    writeRoot(out, value);
    if (out.position - start > MAX_ENCODED_SIZE) throw tooLarge(MAX_ENCODED_SIZE);
    return out.take(start);
  } catch (error) {
    throw encodeError('value', error);
  } finally {
    out.end();
  }
}
