import { randomFillSync } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  openSync,
  rmSync,
  statfsSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { errorText, systemCode } from '../../../errors';
import { makePrivate, PRIVATE_FILE } from '../../private-mode';

/** Room that has to be left beside a reserve when it is made, in bytes. */
const ROOM_BESIDE = 1024 * 1024;
const BLOCK_BYTES = 512;

/** What a {@link Reserve} is made with. */
export interface ReservePort {
  /** The file of the database. */
  readonly file: string;
  /** Size of the reserve, in bytes; 0 for none. */
  readonly bytes: number;
  readonly warn: (text: string) => void;
}

/**
 * A file beside the database that takes room for nothing else. It is given up when the disk is full: what is removed can then
 * still be written. It is made again when there is room. While it is given up, an empty file is in its place, so that this
 * is known after a restart, too.
 */
export class Reserve {
  readonly #port: ReservePort;
  readonly #path: string;
  #state: 'none' | 'held' | 'given up' = 'none';

  constructor(port: ReservePort) {
    this.#port = port;
    this.#path = `${port.file}.reserve`;
    if (port.bytes === 0) return;
    try {
      this.#takeUp();
    } catch (error) {
      port.warn(`there is no reserve for a full disk: ${errorText(error)}`);
    }
  }

  /** Whether the room is needed: only what makes room may be written. */
  get isGivenUp(): boolean {
    return this.#state === 'given up';
  }

  /** Gives the room to the database; answers whether there was a reserve. */
  giveUp(): boolean {
    if (this.#state !== 'held') return false;
    truncateSync(this.#path);
    this.#state = 'given up';
    this.#port.warn(
      `the disk is full: the reserve of ${this.#port.bytes} bytes was given up. What is deleted, revoked or past its retention is still written, and nothing else until there is room again`,
    );
    return true;
  }

  /** Makes the reserve again, if there is room. */
  restore(): void {
    if (this.#state !== 'given up' || !this.#hasRoom()) return;
    try {
      this.#make();
    } catch (error) {
      truncateSync(this.#path);
      if (!isFull(error)) throw error;
      return;
    }
    this.#port.warn('the disk has room again: the reserve was made again');
  }

  /** What is there of an earlier run, or a new one. */
  #takeUp(): void {
    const found = statSync(this.#path, { throwIfNoEntry: false });
    if (found !== undefined) makePrivate(this.#path);
    const { bytes } = this.#port;
    const isWhole = process.platform === 'win32' || (found?.blocks ?? 0) * BLOCK_BYTES >= bytes;
    if (found !== undefined && found.size >= bytes && isWhole) this.#state = 'held';
    else if (found?.size === 0) this.#state = 'given up';
    else if (this.#hasRoom()) this.#makeFirst();
    else this.#port.warn('there is no reserve for a full disk, as the disk has no room for it');
    this.restore();
  }

  #makeFirst(): void {
    try {
      this.#make();
    } catch (error) {
      rmSync(this.#path, { force: true });
      throw error;
    }
  }

  /** Of bytes that no file system can leave out or make smaller. */
  #make(): void {
    const handle = openSync(this.#path, 'w', PRIVATE_FILE);
    try {
      const bytes = randomFillSync(Buffer.allocUnsafe(this.#port.bytes));
      for (let written = 0; written < bytes.length;) written += writeSync(handle, bytes, written);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    this.#state = 'held';
  }

  #hasRoom(): boolean {
    const { bavail, bsize } = statfsSync(dirname(this.#path));
    return bavail * bsize >= this.#port.bytes + ROOM_BESIDE;
  }
}

function isFull(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'ENOSPC' || code === 'EDQUOT';
}
