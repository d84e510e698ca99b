import type { Value } from '../types';

/** What was last seen of one resource. */
export interface KnownState {
  /** The last input that the server wrote; `undefined` when it wrote none. */
  readonly input: unknown;
  /** The last output or sample that the device sent; `undefined` when it sent none. */
  readonly output: Value | undefined;
  /** When, in ms since 1970. */
  readonly at: number;
}

/**
 * What the server remembers of a device's resources: the last input it wrote and the last state it saw.
 * It is shown in place of a read, because reading an input acts on many devices (`protocol.md` section 5).
 */
export class LastKnownStates {
  static readonly #MAX_RESOURCES = 1000;
  readonly #states = new Map<string, RememberedState>();
  #turn = 0;

  /** What was last seen of a resource. */
  get(path: string): KnownState | undefined {
    return this.#states.get(path);
  }

  /** The server wrote this input, and the device took it. */
  wrote(path: string, input: unknown): void {
    this.#touch(path).input = input;
  }

  /** The device sent this output. */
  saw(path: string, output: Value): void {
    this.#touch(path).output = output;
  }

  /** Changed in place: this happens with every sample. */
  #touch(path: string): RememberedState {
    let state = this.#states.get(path);
    if (state === undefined) {
      if (this.#states.size >= LastKnownStates.#MAX_RESOURCES) this.#forgetOldest();
      state = { input: undefined, output: undefined, at: 0, turn: 0 };
      this.#states.set(path, state);
    }
    state.at = Date.now();
    state.turn = ++this.#turn;
    return state;
  }

  /** The resource seen longest ago gives way. */
  #forgetOldest(): void {
    let oldest: string | undefined;
    let oldestTurn = Infinity;
    for (const [path, { turn }] of this.#states) {
      if (turn >= oldestTurn) continue;
      oldest = path;
      oldestTurn = turn;
    }
    if (oldest !== undefined) this.#states.delete(oldest);
  }
}

interface RememberedState {
  input: unknown;
  output: Value | undefined;
  at: number;
  /** Which of all changes was its last. */
  turn: number;
}
