import { setImmediate } from 'node:timers/promises';
import { IotmpError } from '../../errors';
import { makeCore, type Core } from '../core/core';
import type { Engine } from '../core/engine';
import type { LongReads, Reads, Steps, Writes } from '../core/operations';
import type { StoreLimits } from '../store-limits';
import { memoryTables } from './memory-tables';

/** Does all operations at once, in memory; long reads let others have their turn between two steps. */
export class MemoryEngine implements Engine {
  readonly fault = undefined;
  readonly #core: Core;
  readonly #limits: StoreLimits;
  readonly #running = new Set<Promise<unknown>>();
  #closed = false;

  constructor(limits: StoreLimits) {
    this.#core = makeCore(memoryTables(), limits);
    this.#limits = limits;
  }

  read<N extends keyof Reads>(name: N, args: Reads[N]['args']): Promise<Reads[N]['result']> {
    return this.#attempt(() => this.#core.reads[name](args));
  }

  async longRead<N extends keyof LongReads>(
    name: N,
    args: LongReads[N]['args'],
  ): Promise<LongReads[N]['result']> {
    this.#checkOpen();
    if (this.#running.size >= this.#limits.waitingJobs) {
      throw new IotmpError('IOTMP_ERR_BUSY', 'too many reads of the store are under way');
    }
    const result = finish(this.#core.longReads[name](args));
    this.#running.add(result);
    try {
      return await result;
    } finally {
      this.#running.delete(result);
    }
  }

  write<N extends keyof Writes>(name: N, args: Writes[N]['args']): Promise<Writes[N]['result']> {
    return this.#attempt(() => this.#core.writes[name](args));
  }

  check(): Promise<readonly string[]> {
    return this.#attempt(() => []);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#running);
  }

  /** What is thrown rejects. */
  #attempt<Result>(action: () => Result): Promise<Result> {
    return new Promise((resolve) => {
      this.#checkOpen();
      resolve(action());
    });
  }

  #checkOpen(): void {
    if (this.#closed) throw new IotmpError('IOTMP_ERR_CLOSED', 'the store is closed');
  }
}

async function finish<Result>(steps: Steps<Result>): Promise<Result> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await setImmediate();
  }
}
