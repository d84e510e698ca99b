import type { Socket } from 'node:net';
import { rawCall } from '../wire/iotmp-wire';

/** Ids of this width are varints of three bytes: all requests are of one size. */
const FIRST_ID = 16_384;
const LAST_ID = 65_535;
/** Where the id stands: behind type, size and key. */
const ID_AT = 3;

/** Sends requests that differ in nothing but their ids, and finds the caller of each answer. */
export class RawRequester {
  readonly #socket: Socket;
  readonly #coalesce: boolean;
  readonly #template = rawCall(FIRST_ID);
  readonly #pending = new Map<number, () => void>();
  #lastId = FIRST_ID;
  #batch: Buffer[] = [];

  /** @param coalesce requests of one turn of the event loop leave in one write */
  constructor(socket: Socket, coalesce: boolean) {
    this.#socket = socket;
    this.#coalesce = coalesce;
  }

  request(done: () => void): void {
    this.#lastId = this.#lastId === LAST_ID ? FIRST_ID : this.#lastId + 1;
    const id = this.#lastId;
    this.#pending.set(id, done);
    const message = Buffer.from(this.#template);
    message[ID_AT] = (id & 0x7f) | 0x80;
    message[ID_AT + 1] = ((id >> 7) & 0x7f) | 0x80;
    message[ID_AT + 2] = id >> 14;
    if (!this.#coalesce) this.#socket.write(message);
    else if (this.#batch.push(message) === 1) process.nextTick(() => this.#flush());
  }

  /** The answer that begins at `start`. */
  settle(bytes: Buffer, start: number): void {
    const at = start + ID_AT;
    const id =
      ((bytes[at] ?? 0) & 0x7f) | (((bytes[at + 1] ?? 0) & 0x7f) << 7) | ((bytes[at + 2] ?? 0) << 14);
    const done = this.#pending.get(id);
    this.#pending.delete(id);
    done?.();
  }

  #flush(): void {
    const batch = this.#batch;
    this.#batch = [];
    this.#socket.write(Buffer.concat(batch));
  }
}
