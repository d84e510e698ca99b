import type { NodeAPI } from 'node-red';
import { guarded, warnProcess } from '../../../src';

/**
 * Knows why nodes are being closed, with one listener on the emitter that all of Node-RED shares: for a deploy, which
 * makes them anew, or because all flows end (and perhaps start again, as by "Restart flows").
 */
export class FlowsStopping {
  readonly #RED: NodeAPI;
  readonly #listener = guarded('flows stopping', warnProcess, (event: unknown) => {
    this.#isDeploy = isDeploy(event);
  });
  #watchers = 0;
  #isDeploy = false;

  constructor(RED: NodeAPI) {
    this.#RED = RED;
  }

  /** Whether the flows stop for a deploy. Nodes may ask when they close. */
  get isDeploy(): boolean {
    return this.#isDeploy;
  }

  /** To be called before {@link isDeploy} is needed; returns the function that ends it, for once. */
  watch(): () => void {
    if (this.#watchers++ === 0) this.#RED.events.on('flows:stopping', this.#listener);
    return () => {
      if (--this.#watchers === 0) this.#RED.events.off('flows:stopping', this.#listener);
    };
  }
}

/** A deploy compares the flows with those before; where nothing was compared, the differences are a bare list. */
function isDeploy(event: unknown): boolean {
  if (typeof event !== 'object' || event === null || !('diff' in event)) return false;
  const { diff } = event;
  return typeof diff === 'object' && diff !== null && 'globalConfigChanged' in diff;
}
