/** Items that were taken and whose places are not given back yet, at most, unless they are the smaller half. */
const SLACK = 64;

/** A queue that may grow long: taking the first item moves none of the others. */
export class Fifo<T> {
  #items: (T | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  /** The oldest item, which stays. */
  get first(): T | undefined {
    return this.#items[this.#head];
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** Takes the oldest item. */
  shift(): T | undefined {
    if (this.#head >= this.#items.length) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head++] = undefined;
    if (this.#head === this.#items.length) this.clear();
    else if (this.#head > SLACK && this.#head * 2 > this.#items.length) this.#giveBack();
    return item;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
  }

  #giveBack(): void {
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }
}
