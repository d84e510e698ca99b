import { withoutRest } from '../codec/snapshot';
import type { DeviceId, Value } from '../types';
import { memorySize } from '../util/memory-size';
import type { LastKnownMemory } from './last-known-memory';

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
/** The part of the states that stays where some give way. They do so many at once: finding the oldest means to look at all. */
const STAYING = 0.9;
/** Approximate memory of a state beside its path and its values, in bytes. */
const OVERHEAD = 200;
/** Size from which a value is looked at for the rest of the read that it came with, in bytes. */
const LARGE = 1024;

/**
 * What the server remembers of a device's resources: the last input it wrote and the last state it saw.
 * It is shown in place of a read, because reading an input acts on many devices (`protocol.md` section 5).
 */
export class LastKnownStates {
  readonly id: DeviceId;
  /** Made when there is something to remember: most devices of a large fleet are idle most of the time. */
  #states: Map<string, RememberedState> | undefined;
  #bytes = 0;
  #usedAt = 0;
  /** States whose output has changed since it was measured. */
  #unmeasured: RememberedState[] | undefined;
  readonly #memory: LastKnownMemory;

  constructor(id: DeviceId, memory: LastKnownMemory) {
    this.id = id;
    this.#memory = memory;
  }

  /** Approximate memory of all states, in bytes. Outputs seen in this turn count once they are measured. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The turn of the memory at which a state was read or written last. */
  get usedAt(): number {
    return this.#usedAt;
  }

  /** What was last seen of a resource. */
  get(path: string): KnownState | undefined {
    const state = this.#states?.get(path);
    if (state !== undefined) this.#usedAt = this.#memory.nextTurn();
    return state;
  }

  /** The server wrote this input, and the device took it. `at` is when, in ms since 1970. */
  wrote(path: string, input: unknown, at: number): void {
    const state = this.#touch(path);
    state.at = at;
    const size = sizeOfInput(input, this.#memory.bytesPerDevice);
    const growth = size - state.inputSize;
    state.input = input;
    state.inputSize = size;
    this.#grow(growth);
  }

  /**
   * The device sent this output. `at` is when, in ms since 1970. Of the many that a flood brings at one time, only the first
   * is measured at once, and the last one at the end of the turn.
   */
  saw(path: string, output: Value, at: number): void {
    const state = this.#touch(path);
    const isFlood = state.at === at;
    state.at = at;
    state.output = output;
    if (!isFlood) this.#grow(measured(state, this.#memory.bytesPerDevice));
    else if (state.isMeasured) this.#measureLater(state);
  }

  measure(): void {
    const states = this.#unmeasured ?? [];
    this.#unmeasured = undefined;
    let growth = 0;
    for (const state of states) growth += measured(state, this.#memory.bytesPerDevice);
    this.#grow(growth);
  }

  /** Forgets the states of all resources but the wanted ones. */
  keepOnly(isWanted: (path: string) => boolean): void {
    this.measure();
    for (const path of this.#states?.keys() ?? []) if (!isWanted(path)) this.#forget(path);
  }

  /** Forgets all states. Returns their number. */
  clear(): number {
    this.#unmeasured = undefined;
    const count = this.#states?.size ?? 0;
    this.#states = undefined;
    this.#resize(-this.#bytes);
    return count;
  }

  /** Changed in place: this happens with every sample. */
  #touch(path: string): RememberedState {
    const states = (this.#states ??= new Map<string, RememberedState>());
    this.#usedAt = this.#memory.nextTurn();
    let state = states.get(path);
    if (state === undefined) {
      if (states.size >= MAX_RESOURCES) this.#makeRoom(() => states.size <= STAYING * MAX_RESOURCES);
      state = {
        input: undefined,
        output: undefined,
        inputSize: 0,
        outputSize: 0,
        isMeasured: true,
        at: 0,
        turn: 0,
      };
      states.set(path, state);
      this.#resize(OVERHEAD + 2 * path.length);
    }
    state.turn = this.#usedAt;
    return state;
  }

  #measureLater(state: RememberedState): void {
    state.isMeasured = false;
    if (this.#unmeasured === undefined) {
      this.#unmeasured = [];
      this.#memory.measureLater(this);
    }
    this.#unmeasured.push(state);
  }

  #grow(bytes: number): void {
    if (bytes === 0) return;
    this.#resize(bytes);
    const { bytesPerDevice } = this.#memory;
    if (this.#bytes > bytesPerDevice) this.#makeRoom(() => this.#bytes <= STAYING * bytesPerDevice);
  }

  /** Those seen longest ago give way. */
  #makeRoom(isEnough: () => boolean): void {
    this.measure();
    const byAge = [...(this.#states ?? [])].sort(([, one], [, other]) => one.turn - other.turn);
    let count = 0;
    for (const [path] of byAge) {
      if (isEnough()) break;
      this.#forget(path);
      count++;
    }
    if (count > 0) this.#memory.drop(this, count);
  }

  #forget(path: string): void {
    const state = this.#states?.get(path);
    if (state === undefined) return;
    this.#states?.delete(path);
    const size = OVERHEAD + 2 * path.length + state.inputSize + state.outputSize;
    this.#resize(-size);
  }

  #resize(bytes: number): void {
    this.#bytes += bytes;
    this.#memory.resize(this, bytes);
  }
}

/** Measures the output of a state. Returns by how much it has grown, in bytes. */
function measured(state: RememberedState, enough: number): number {
  const { output, outputSize } = state;
  let size = memorySize(output, enough);
  if (size > LARGE && output !== undefined) {
    state.output = withoutRest(output);
    if (state.output !== output) size = memorySize(state.output, enough);
  }
  state.isMeasured = true;
  state.outputSize = size;
  return size - outputSize;
}

/** A program may write any value that can be sent, also one that throws when it is looked at once more. */
function sizeOfInput(input: unknown, enough: number): number {
  try {
    return memorySize(input, enough);
  } catch {
    return enough + 1;
  }
}

interface RememberedState {
  input: unknown;
  output: Value | undefined;
  /** Approximate memory of the input and of the output, in bytes. */
  inputSize: number;
  outputSize: number;
  /** Whether the output is the one whose size is known. */
  isMeasured: boolean;
  at: number;
  /** Which of all changes was its last. */
  turn: number;
}
