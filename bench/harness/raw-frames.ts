/**
 * Cuts a byte stream into frames and does nothing else: what a server could do at most. The frames are of one type
 * and at most 127 bytes.
 */
export class RawFrames {
  #rest: Buffer | undefined;

  /** Calls `onFrame` with each whole frame of the chunk. */
  push(chunk: Buffer, onFrame: (bytes: Buffer, start: number, end: number) => void): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = undefined;
    let start = 0;
    while (start + 2 <= bytes.length) {
      const end = start + 2 + (bytes[start + 1] ?? 0);
      if (end > bytes.length) break;
      onFrame(bytes, start, end);
      start = end;
    }
    if (start < bytes.length) this.#rest = bytes.subarray(start);
  }
}
