/** Number of bytes that a varint of at most 32 bits takes (`protocol.md` section 1). */
export function varintSize(value: number): number {
  let size = 1;
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) size++;
  return size;
}

/** The position behind the varint that begins at `start`. */
export function skipVarint(bytes: Buffer, start: number): number {
  let position = start;
  while ((bytes[position] ?? 0) >= 0x80) position++;
  return position + 1;
}
