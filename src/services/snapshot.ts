import { decodeValue } from '../codec/reading/pson-decoder';
import { encodeValue } from '../codec/writing/pson-encoder';
import type { Value } from '../types';

/**
 * A value as it will be read again: what a flow gives may be of a class of its own, and may be changed while it is written.
 * @throws IotmpError IOTMP_ERR_ENCODE for what cannot be kept, IOTMP_ERR_TOO_LARGE past 16 MiB
 */
export function snapshot(value: unknown): Value {
  return decodeValue(encodeValue(value));
}
