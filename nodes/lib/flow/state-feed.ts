import type { LinkState } from './link';

/** The state of a config node, told to the flow nodes that use it. */
export class StateFeed {
  readonly #listeners = new Set<(state: LinkState) => void>();
  #state: LinkState;

  constructor(initial: LinkState) {
    this.#state = initial;
  }

  get state(): LinkState {
    return this.#state;
  }

  /** Tells of each change; returns the function that ends it. */
  watch(listener: (state: LinkState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes over a new state. */
  set(state: LinkState): void {
    if (state.kind === this.#state.kind && state.text === this.#state.text) return;
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }
}
