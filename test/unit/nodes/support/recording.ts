import { inspect } from 'node:util';
import { patiently } from './patience';

interface Waiter<T> {
  readonly accepts: (item: T) => boolean;
  readonly resolve: (item: T) => void;
}

/** Things that happen one after the other, such as messages that reach a node; a test may wait for the next one. */
export class Recording<T> {
  /** Everything so far. */
  readonly all: T[] = [];
  readonly #name: string;
  readonly #unread: T[] = [];
  #waiters: Waiter<T>[] = [];

  constructor(name: string) {
    this.#name = name;
  }

  get last(): T | undefined {
    return this.all.at(-1);
  }

  push(item: T): void {
    this.all.push(item);
    const waiter = this.#waiters.find(({ accepts }) => accepts(item));
    if (waiter === undefined) {
      this.#unread.push(item);
      return;
    }
    this.#waiters = this.#waiters.filter((one) => one !== waiter);
    waiter.resolve(item);
  }

  /** The next one that no earlier call has taken. */
  next(accepts: (item: T) => boolean = () => true): Promise<T> {
    const index = this.#unread.findIndex(accepts);
    const [found] = index < 0 ? [] : this.#unread.splice(index, 1);
    if (found !== undefined) return Promise.resolve(found);
    return this.#wait(accepts);
  }

  /** The latest one, as soon as it is an accepted one. */
  async latest(accepts: (item: T) => boolean): Promise<T> {
    const { last } = this;
    if (last !== undefined && accepts(last)) return last;
    return this.#wait(accepts);
  }

  #wait(accepts: (item: T) => boolean): Promise<T> {
    const next = new Promise<T>((resolve) => this.#waiters.push({ accepts, resolve }));
    return patiently(next, () => `${this.#name} after ${inspect(this.all, { depth: 4 })}`);
  }
}
