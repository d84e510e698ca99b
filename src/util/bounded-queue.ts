import { IotmpError } from '../errors';
import { Fifo } from './fifo';

/** Limits of a queue, and what happens past them. */
export interface QueueLimits {
  /** Maximum number of items. */
  readonly items: number;
  /** Maximum number of bytes of all items. */
  readonly bytes: number;
  /** With `drop-oldest`, the oldest item gives way. With `refuse`, no new item is taken. */
  readonly past: 'drop-oldest' | 'refuse';
}

/** A queue for a slow reader, bounded in items and in bytes. */
export class BoundedQueue<T> {
  limits: QueueLimits;
  /** Number of items that gave way to newer ones. */
  dropped = 0;
  readonly #items = new Fifo<T>();
  readonly #sizes = new Fifo<number>();
  #bytes = 0;

  constructor(limits: QueueLimits) {
    this.limits = limits;
  }

  /** Number of waiting items. */
  get length(): number {
    return this.#items.length;
  }

  /** Number of waiting bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Adds an item. Past the limits, the oldest item gives way, which may be the new one.
   * @param size of the item, in bytes
   * @param room for this queue at the moment, in bytes, if that is less than its limit
   * @throws IotmpError IOTMP_ERR_BUSY if nothing gives way. Then the item is not added.
   */
  push(item: T, size: number, room = Infinity): void {
    const { items, past } = this.limits;
    const bytes = Math.min(this.limits.bytes, room);
    if (past === 'refuse' && (this.length >= items || this.#bytes + size > bytes)) {
      throw new IotmpError('IOTMP_ERR_BUSY', `the reader is too slow: ${this.#bytes} bytes wait for it`);
    }
    this.#items.push(item);
    this.#sizes.push(size);
    this.#bytes += size;
    while (this.length > 0 && (this.length > items || this.#bytes > bytes)) {
      this.#take();
      this.dropped++;
    }
  }

  /** Takes out the oldest item. */
  shift(): T | undefined {
    return this.#take();
  }

  /** Takes out all items. They do not count as dropped. */
  clear(): void {
    this.#items.clear();
    this.#sizes.clear();
    this.#bytes = 0;
  }

  #take(): T | undefined {
    this.#bytes -= this.#sizes.shift() ?? 0;
    return this.#items.shift();
  }
}
