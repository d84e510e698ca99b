/**
 * The short number of a resource name: the low 16 bits of the 32-bit FNV-1a hash of its UTF-8 bytes
 * (`protocol.md` section 5).
 */
export function resourceHash(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(name, 'utf8')) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash & 0xffff;
}
