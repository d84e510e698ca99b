/** Longest varint of a size, in bytes. */
const MAX_SIZE_BYTES = 5;

/** Bytes of the header of a message: its type, and the varint of its size. */
export function headerLength(bytes: Buffer): number {
  let at = 1;
  while (at < Math.min(bytes.length - 1, MAX_SIZE_BYTES) && bytes[at]! >= 0x80) at++;
  return Math.min(at + 1, bytes.length);
}
