import type { Writable } from 'node:stream';
import { TURN_BYTES } from './end-of-turn';
import type { Guarded } from '../util/guard';

/** Called when the system has taken a write, or has failed to. */
export type WriteCallback = Guarded<[error?: Error | null]>;

/** From this size on, a message is written as it is: copying it costs more than a piece of its own. In bytes. */
const JOIN_BELOW = 16_384;

/** Messages that are waiting for the end of the turn, to leave in one system call. */
export class WriteBatch {
  #first: Buffer | undefined;
  /** All of them, once there are several: one that stays alone needs no array. */
  #messages: Buffer[] | undefined;
  #bytes = 0;

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether so much waits that it should be written at once. */
  get full(): boolean {
    return this.#bytes >= TURN_BYTES;
  }

  /** Adds a message; returns true if it is the first of the batch. */
  add(message: Buffer): boolean {
    this.#bytes += message.length;
    if (this.#first === undefined) {
      this.#first = message;
      return true;
    }
    if (this.#messages === undefined) this.#messages = [this.#first, message];
    else this.#messages.push(message);
    return false;
  }

  /** Drops what waits. */
  clear(): void {
    this.#first = undefined;
    this.#messages = undefined;
    this.#bytes = 0;
  }

  /** Hands everything to `stream`; `onWritten` is called once, when the system has taken it all. */
  writeTo(stream: Writable, onWritten?: WriteCallback): void {
    const first = this.#first;
    const messages = this.#messages;
    const bytes = this.#bytes;
    this.clear();
    if (first === undefined) return;
    if (messages === undefined) stream.write(first, onWritten);
    else if (bytes < JOIN_BELOW) stream.write(Buffer.concat(messages, bytes), onWritten);
    else writePieces(stream, joinSmall(messages), onWritten);
  }
}

function writePieces(
  stream: Writable,
  pieces: readonly Buffer[],
  onWritten: WriteCallback | undefined,
): void {
  const last = pieces.length - 1;
  if (last > 0) stream.cork();
  for (const [index, piece] of pieces.entries()) {
    stream.write(piece, index === last ? onWritten : undefined);
  }
  if (last > 0) stream.uncork();
}

/** Runs of small messages become one piece each; the copies are less than {@link TURN_BYTES} in all. */
function joinSmall(messages: readonly Buffer[]): Buffer[] {
  const pieces: Buffer[] = [];
  let run: Buffer[] = [];
  for (const message of messages) {
    if (message.length < JOIN_BELOW) {
      run.push(message);
      continue;
    }
    if (run.length > 0) pieces.push(joined(run));
    pieces.push(message);
    run = [];
  }
  if (run.length > 0) pieces.push(joined(run));
  return pieces;
}

function joined(run: Buffer[]): Buffer {
  const [first] = run;
  return run.length === 1 && first !== undefined ? first : Buffer.concat(run);
}
