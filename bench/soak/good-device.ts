import { setTimeout as pause } from 'node:timers/promises';
import type { IotmpClient } from '../../src/index';
import { newClient } from './churn';
import { GOOD } from './protocol';

/** Time between two calls, in ms. */
const CALL_MS = 100;

/** Times of calls since the last look. */
export interface Latencies {
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly calls: number;
}

/** A device that does nothing but call the server, one call at a time: it has to be served whatever the others do. */
export class GoodDevice {
  /** Calls that failed. */
  failed = 0;
  readonly #client: IotmpClient;
  #times: number[] = [];

  private constructor(client: IotmpClient) {
    this.#client = client;
  }

  static async start(port: number): Promise<GoodDevice> {
    const client = newClient(GOOD, port);
    client.connect();
    await client.ready();
    return new GoodDevice(client);
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const began = performance.now();
      await this.#client.call('echo', { payload: 7 }).then(
        () => this.#times.push(performance.now() - began),
        () => this.failed++,
      );
      await pause(CALL_MS);
    }
    await this.#client.close();
  }

  take(): Latencies {
    const times = this.#times.sort((one, other) => one - other);
    this.#times = [];
    const at = (share: number): number =>
      times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? 0;
    return { medianMs: at(0.5), p99Ms: at(0.99), calls: times.length };
  }
}
