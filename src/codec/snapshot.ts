import type { Value } from '../types';
import { decodeValue } from './reading/pson-decoder';
import { encodeValue } from './writing/pson-encoder';

/**
 * A copy of a value as a peer would receive it. Later changes of the original do not change the copy, and a value of
 * another class becomes a plain one. `undefined` becomes null.
 * @throws IotmpError IOTMP_ERR_ENCODE for a value that cannot be sent, IOTMP_ERR_TOO_LARGE past 16 MiB
 */
export function snapshot(value: unknown): Value {
  return decodeValue(encodeValue(value));
}
