import type { Writable } from 'node:stream';
import { TURN_BYTES } from './end-of-turn';

/** From this size on, a message is written as it is: copying it costs more than a piece of its own. In bytes. */
const JOIN_BELOW = 16_384;

/** Messages that are waiting for the end of the turn, to leave in one system call. */
export class WriteBatch {
  #messages: Buffer[] = [];
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
    return this.#messages.push(message) === 1;
  }

  /** Drops what waits. */
  clear(): void {
    this.#messages = [];
    this.#bytes = 0;
  }

  /** Hands everything to `stream`; `onWritten` is called once, when the system has taken it all. */
  writeTo(stream: Writable, onWritten?: (error?: Error | null) => void): void {
    const pieces = joinSmall(this.#messages);
    this.clear();
    const last = pieces.pop();
    if (last === undefined) return;
    if (pieces.length > 0) stream.cork();
    for (const piece of pieces) stream.write(piece);
    stream.write(last, onWritten);
    if (pieces.length > 0) stream.uncork();
  }
}

/** Runs of small messages become one piece each; the copies are less than {@link TURN_BYTES} in all. */
function joinSmall(messages: Buffer[]): Buffer[] {
  if (messages.length < 2) return messages;
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
