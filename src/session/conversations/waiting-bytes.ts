import { IotmpError } from '../../errors';

/** How much more than the bytes that stop the fast end a conversation may hold before it ends. */
const HARD_LIMIT = 4;

/** Bytes of a message beside its payload, as it waits, about. */
const OVERHEAD = 64;

/** What a conversation holds in one direction: when its fast end has to stop, may go on, and when it is too much. */
export class WaitingBytes {
  readonly #limit: number;
  #bytes = 0;
  #full = false;

  /** @param limit bytes past which the fast end has to stop */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether the fast end has to stop: from the limit on, until half of it is left. */
  get full(): boolean {
    return this.#full;
  }

  /** Notes a message of this size. Returns false, and notes nothing, when it would be too much. */
  add(size: number): boolean {
    const bytes = this.#bytes + size + OVERHEAD;
    if (bytes > HARD_LIMIT * this.#limit) return false;
    this.#bytes = bytes;
    if (bytes > this.#limit) this.#full = true;
    return true;
  }

  /** A message of this size has been taken. Returns true when the fast end may go on from now on. */
  take(size: number): boolean {
    this.#bytes -= size + OVERHEAD;
    if (!this.#full || this.#bytes > this.#limit / 2) return false;
    this.#full = false;
    return true;
  }

  clear(): void {
    this.#bytes = 0;
    this.#full = false;
  }
}

/** The reason for which a conversation ends whose slow end left too much waiting: the reader here, or the peer. */
export function tooSlowError(slowEnd: 'reader' | 'peer'): IotmpError {
  return new IotmpError('IOTMP_ERR_BUSY', `too much waits for a ${slowEnd} that is too slow`);
}
