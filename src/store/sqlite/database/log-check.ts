/** Sizes of the headers of a log of SQLite and of each of its frames, in bytes. */
const HEADER = 32;
const FRAME_HEADER = 24;
const MAGIC = 0x377f0682;

/**
 * Whether a log of SQLite was damaged: its header is not one, or a frame of its present run is not as it was written. Frames of
 * earlier runs, which follow those, do not count. See https://sqlite.org/fileformat2.html#the_write_ahead_log
 */
export function isLogDamaged(log: Buffer): boolean {
  if (log.length === 0) return false;
  if (log.length < HEADER || (log.readUInt32BE(0) & ~1) >>> 0 !== MAGIC) return true;
  const sum = new Checksum((log.readUInt32BE(0) & 1) === 1);
  sum.add(log, 0, 24);
  if (!sum.is(log, 24)) return true;
  const frameBytes = FRAME_HEADER + log.readUInt32BE(8);
  const isOfRun = (at: number): boolean => log.compare(log, 16, 24, at + 8, at + 16) === 0;
  let isOver = false;
  for (let at = HEADER; at + frameBytes <= log.length; at += frameBytes) {
    if (isOver) {
      if (isOfRun(at)) return true;
      continue;
    }
    sum.add(log, at, at + 8);
    sum.add(log, at + FRAME_HEADER, at + frameBytes);
    if (sum.is(log, at + 16) && isOfRun(at)) continue;
    if (isOfRun(at)) return true;
    isOver = true;
  }
  return false;
}

/** The running checksum of a log. */
class Checksum {
  readonly #isBigEndian: boolean;
  #one = 0;
  #other = 0;

  constructor(isBigEndian: boolean) {
    this.#isBigEndian = isBigEndian;
  }

  add(log: Buffer, from: number, to: number): void {
    for (let at = from; at < to; at += 8) {
      const [first, second] = this.#isBigEndian
        ? [log.readUInt32BE(at), log.readUInt32BE(at + 4)]
        : [log.readUInt32LE(at), log.readUInt32LE(at + 4)];
      this.#one = (this.#one + first + this.#other) >>> 0;
      this.#other = (this.#other + second + this.#one) >>> 0;
    }
  }

  is(log: Buffer, at: number): boolean {
    return log.readUInt32BE(at) === this.#one && log.readUInt32BE(at + 4) === this.#other;
  }
}
