import { errorText, IotmpError } from '../errors';
import { unusable } from './checks';
import { PsonType } from '../codec/constants';
import { decodeValue } from '../codec/reading/pson-decoder';
import { encodeValue } from '../codec/writing/pson-encoder';
import { isMap, type Value } from '../types';

/** A value as it is kept: PSON (`protocol.md` section 3) in a buffer of its own, so that it can go to another thread. */
export type StoredValue = Uint8Array<ArrayBuffer>;

/**
 * A value in the form in which it is kept. `IOTMP_ERR_ENCODE` for what PSON cannot carry, `IOTMP_ERR_TOO_LARGE` past
 * `limit` bytes.
 */
export function toStored(value: unknown, limit: number): StoredValue {
  return new Uint8Array(encode(value, limit));
}

/** A map in the form in which it is kept; `IOTMP_ERR_CONFIG` for anything else. */
export function toStoredMap(map: Readonly<Record<string, Value>>, limit: number): StoredValue {
  return new Uint8Array(encodeMap(map, limit));
}

/** As {@link toStoredMap}, but in memory that is shared with other values: what is sent has to be copied out of it. */
export function encodeMap(map: Readonly<Record<string, Value>>, limit: number): Uint8Array {
  const bytes = encode(map, limit);
  if ((bytes[0] ?? 0) >> 5 !== PsonType.MAP) throw unusable('the value has to be a map');
  return bytes;
}

function encode(value: unknown, limit: number): Buffer {
  const bytes = encodeValue(value);
  if (bytes.length <= limit) return bytes;
  throw new IotmpError('IOTMP_ERR_TOO_LARGE', `a value of ${bytes.length} bytes: the limit is ${limit}`);
}

/**
 * Decodes a stored value. Bytes in the value are copies.
 * @throws IotmpError IOTMP_ERR_STORAGE if the bytes are not an encoded value
 */
export function fromStored(bytes: Uint8Array): Value {
  try {
    return decodeValue(Buffer.from(bytes));
  } catch (cause) {
    throw new IotmpError('IOTMP_ERR_STORAGE', `it is no value: ${errorText(cause)}`, { cause });
  }
}

/** A value again that was kept as a map. */
export function mapFromStored(bytes: Uint8Array): Record<string, Value> {
  const value = fromStored(bytes);
  if (isMap(value)) return value;
  throw new IotmpError('IOTMP_ERR_STORAGE', 'it is not a map');
}

/** Many stored values in one piece: it goes to another thread in a fraction of the time that many pieces take. */
export interface PackedValues {
  readonly bytes: StoredValue;
  /** Where each value ends. */
  readonly ends: readonly number[];
}

/** Puts values together. */
export function packValues(values: readonly Uint8Array[]): PackedValues {
  const ends: number[] = [];
  let end = 0;
  for (const value of values) ends.push((end += value.length));
  const bytes = new Uint8Array(end);
  for (const [index, value] of values.entries()) bytes.set(value, (ends[index] ?? 0) - value.length);
  return { bytes, ends };
}

/** The values again, as views of the one piece. */
export function unpackValues({ bytes, ends }: PackedValues): Uint8Array[] {
  let start = 0;
  return ends.map((end) => bytes.subarray(start, (start = end)));
}
