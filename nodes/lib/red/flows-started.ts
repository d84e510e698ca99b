import type { NodeAPI } from 'node-red';
import { errorText, guarded } from '../../../src';

/**
 * Tells any number of nodes that a deploy is over and the flows run, with one listener on the emitter that all of
 * Node-RED shares.
 */
export class FlowsStarted {
  static readonly #shared = new WeakMap<object, FlowsStarted>();

  readonly #RED: NodeAPI;
  readonly #watchers = new Set<() => void>();
  readonly #onFault = (error: unknown): void => this.#RED.log.error(`[iotmp] ${errorText(error)}`);
  readonly #listener = guarded('flows started', this.#onFault, () => {
    for (const watcher of this.#watchers) guarded('flows started watcher', this.#onFault, watcher)();
  });

  constructor(RED: NodeAPI) {
    this.#RED = RED;
  }

  /** That of a Node-RED: the module of each node type has an API of its own, but the emitter is the same. */
  static of(RED: NodeAPI): FlowsStarted {
    const shared = FlowsStarted.#shared.get(RED.events) ?? new FlowsStarted(RED);
    FlowsStarted.#shared.set(RED.events, shared);
    return shared;
  }

  /** Calls back after each deploy; returns the function that ends it. */
  watch(watcher: () => void): () => void {
    if (this.#watchers.size === 0) this.#RED.events.on('flows:started', this.#listener);
    this.#watchers.add(watcher);
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size === 0) this.#RED.events.off('flows:started', this.#listener);
    };
  }
}
