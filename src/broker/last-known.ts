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

const MAX_RESOURCES = 1000;
const FORGOTTEN_AT_ONCE = 100;

/**
 * What the server remembers of a device's resources: the last input it wrote and the last state it saw.
 * It is shown in place of a read, because reading an input acts on many devices (`protocol.md` section 5).
 */
export class LastKnownStates {
  /** Made when there is something to remember: most devices of a large fleet are idle most of the time. */
  #states: Map<string, RememberedState> | undefined;
  #turn = 0;

  /** What was last seen of a resource. */
  get(path: string): KnownState | undefined {
    return this.#states?.get(path);
  }

  /** The server wrote this input, and the device took it. `at` is when, in ms since 1970. */
  wrote(path: string, input: unknown, at: number): void {
    this.#touch(path, at).input = input;
  }

  /** The device sent this output. `at` is when, in ms since 1970. */
  saw(path: string, output: Value, at: number): void {
    this.#touch(path, at).output = output;
  }

  /** Changed in place: this happens with every sample. */
  #touch(path: string, at: number): RememberedState {
    const states = (this.#states ??= new Map<string, RememberedState>());
    let state = states.get(path);
    if (state === undefined) {
      if (states.size >= MAX_RESOURCES) forgetOldest(states);
      state = { input: undefined, output: undefined, at: 0, turn: 0 };
      states.set(path, state);
    }
    state.at = at;
    state.turn = ++this.#turn;
    return state;
  }
}

/** Those seen longest ago give way, many at once: finding them means to look at all. */
function forgetOldest(states: Map<string, RememberedState>): void {
  const byAge = [...states].sort(([, one], [, other]) => one.turn - other.turn);
  for (const [path] of byAge.slice(0, FORGOTTEN_AT_ONCE)) states.delete(path);
}

interface RememberedState {
  input: unknown;
  output: Value | undefined;
  at: number;
  /** Which of all changes was its last. */
  turn: number;
}
