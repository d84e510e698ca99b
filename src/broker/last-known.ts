import type { Value } from '../types';

/** What was last seen of one resource. */
export interface KnownState {
  /** The last input that the server wrote. */
  readonly input?: unknown;
  /** The last output or sample that the device sent. */
  readonly output?: Value;
  /** When, in ms since 1970. */
  readonly at: number;
}

/**
 * What the server remembers of a device's resources: the last input it wrote and the last state it saw.
 * It is shown in place of a read, because reading an input acts on many devices (`protocol.md` section 5).
 */
export class LastKnownStates {
  static readonly #MAX_RESOURCES = 1000;
  readonly #states = new Map<string, KnownState>();

  /** What was last seen of a resource. */
  get(path: string): KnownState | undefined {
    return this.#states.get(path);
  }

  /** The server wrote this input, and the device took it. */
  wrote(path: string, input: unknown): void {
    this.#merge(path, { input });
  }

  /** The device sent this output. */
  saw(path: string, output: Value): void {
    this.#merge(path, { output });
  }

  /** The resource seen longest ago gives way when there are too many. */
  #merge(path: string, news: Omit<KnownState, 'at'>): void {
    const known = this.#states.get(path);
    this.#states.delete(path);
    this.#states.set(path, { ...known, ...news, at: Date.now() });
    if (this.#states.size <= LastKnownStates.#MAX_RESOURCES) return;
    const [oldest] = this.#states.keys();
    if (oldest !== undefined) this.#states.delete(oldest);
  }
}
