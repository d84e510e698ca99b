import { headerLength } from './header-length';
import type { Random } from './random';

/** Longest input that is made, in bytes. */
export const MAX_INPUT = 2048;

/** Bytes at which encodings end or begin: limits of varints, and tags of every kind with the counts at their ends. */
const BYTES = Buffer.from(
  '00 01 02 08 10 1a 22 1e 1f 20 3e 3f 40 41 42 5f 60 61 62 63 7f 80 81 9e 9f a0 a1 bf c0 c1 c2 df e0 e1 e2 fe ff'.replaceAll(
    ' ',
    '',
  ),
  'hex',
);

/** Pieces of messages that mean something as they are. */
const PIECES = [
  '08e78a01', // stream id 17767
  '0801',
  '0800',
  '08ffff03', // the largest stream id
  '08808004', // one more
  '18ffffffffffffffffff01', // payload -1
  '18ffffffffffffff7f', // payload 2^56 - 1
  '1a1fffffffffffffff0f', // payload of 53 bits
  '1a1fffffffffffffffffff01',
  '1a4000000000', // 32-bit float 0
  '1a410000000000f0ff7f', // 64-bit float that is no number
  '1ac1895f5f70726f746f5f5f60', // the key __proto__
  '1a82c328', // a string that is not UTF-8
  '1a9fffffffff0f', // a string of 4 GiB
  '1adfffffffff0f', // a map of 4 G pairs
  '1affffffffffffffffff01', // an array of 2^56 elements
  '12c188696e74657276616c1f8002', // parameters {interval: 256}
  '2205', // resource 5, the service for buckets
  '2208', // resource 8, the service for events
  '2284696e2f34',
  '1b',
  '0500', // KEEP_ALIVE
  '0400', // DISCONNECT
  '0000',
  'e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1',
].map((digits) => Buffer.from(digits, 'hex'));

/** Most changes of one input. */
const MAX_CHANGES = 6;

/** Makes inputs out of others, all in the same buffer: whoever keeps a result must copy it. */
export class Mutator {
  readonly #random: Random;
  readonly #bytes = Buffer.alloc(2 * MAX_INPUT);
  #length = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  get result(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Makes an input with some changes; `other` gives parts. */
  mutate(input: Buffer, other: Buffer): void {
    this.#length = input.copy(this.#bytes, 0, 0, MAX_INPUT);
    let changes = 1;
    while (changes < MAX_CHANGES && this.#random.below(2) === 0) changes++;
    for (let change = 0; change < changes; change++) this.#change(other);
  }

  /** Makes one message of it: the type of the first byte, and the size that it has. */
  frame(): void {
    if (this.#length < 2) return;
    const header = headerLength(this.result);
    const size = this.#length - header;
    const type = this.#bytes[0]! & 15;
    this.#remove(0, header);
    this.#insert(0, Buffer.of(type, ...(size < 0x80 ? [size] : [(size & 0x7f) | 0x80, size >> 7])));
  }

  append(bytes: Buffer): void {
    this.#insert(this.#length, bytes);
  }

  #change(other: Buffer): void {
    const random = this.#random;
    const at = random.below(this.#length + 1);
    switch (random.below(10)) {
      case 0:
        this.#set(at, random.next());
        break;
      case 1:
        this.#set(at, BYTES[random.below(BYTES.length)]!);
        break;
      case 2:
        this.#set(at, this.#bytes[at]! ^ (1 << random.below(8)));
        break;
      case 3:
        this.#set(at, this.#bytes[at]! + random.below(9) - 4);
        break;
      case 4:
        this.#remove(at, 1 + random.below(4));
        break;
      case 5:
        this.#insert(at, random.pick(PIECES));
        break;
      case 6:
        this.#insert(at, this.#part(this.result));
        break;
      case 7:
        this.#insert(at, this.#part(other));
        break;
      case 8:
        this.#length = at;
        break;
      default:
        this.#insert(at, BYTES.subarray(random.below(BYTES.length)).subarray(0, 1));
    }
  }

  #part(bytes: Buffer): Buffer {
    const start = this.#random.below(bytes.length + 1);
    return bytes.subarray(start, start + 1 + this.#random.below(32));
  }

  #set(at: number, byte: number): void {
    if (at < this.#length) this.#bytes[at] = byte;
  }

  #remove(at: number, count: number): void {
    const end = Math.min(this.#length, at + count);
    this.#bytes.copyWithin(at, end, this.#length);
    this.#length -= end - at;
  }

  #insert(at: number, part: Buffer): void {
    const piece = part.buffer === this.#bytes.buffer ? Buffer.from(part) : part;
    const count = Math.min(piece.length, MAX_INPUT - this.#length);
    if (count <= 0) return;
    this.#bytes.copyWithin(at + count, at, this.#length);
    piece.copy(this.#bytes, at, 0, count);
    this.#length += count;
  }
}
