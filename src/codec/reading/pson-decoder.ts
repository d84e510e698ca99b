import type { Value } from '../../types';
import type { DecodeOptions } from './decode-options';
import { Input } from './input';
import { readRoot } from './value-reader';

export type { DecodeOptions } from './decode-options';

const input = new Input();

/**
 * Decodes one PSON value that takes all of the bytes (`protocol.md` section 3). Maps become plain objects, integers past
 * `Number.MAX_SAFE_INTEGER` BigInt, and bytes Buffers that share the memory of the input.
 *
 * @throws DecodeError for anything else than one whole value.
 */
export function decodeValue(bytes: Uint8Array, options?: DecodeOptions): Value {
  input.begin(bytes, 0, bytes.length, options);
  const value = readRoot(input);
  if (input.remaining > 0) throw input.error('trailing bytes');
  input.finish(options);
  return value;
}
