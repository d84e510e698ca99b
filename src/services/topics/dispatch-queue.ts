import { IotmpError } from '../../errors';

/** Maximum number of tasks that a task may cause. More count as a circle. */
const MAX_RUN = 10_000;

/** Runs tasks at once, one after the other. A task that another task causes runs after it, not within it. */
export class DispatchQueue {
  readonly #tasks: (() => void)[] = [];
  #running = false;
  #count = 0;

  /** @throws IotmpError IOTMP_ERR_LOOP when tasks cause tasks without end */
  checkRoom(): void {
    if (this.#count < MAX_RUN) return;
    throw new IotmpError('IOTMP_ERR_LOOP', 'messages are published in answer to messages in a circle');
  }

  /** Runs a task now, or after the running tasks. If a task throws, the waiting tasks are lost. */
  run(task: () => void): void {
    this.#count++;
    this.#tasks.push(task);
    if (this.#running) return;
    this.#running = true;
    try {
      for (let next = this.#tasks.shift(); next !== undefined; next = this.#tasks.shift()) next();
    } finally {
      this.#running = false;
      this.#tasks.length = 0;
      this.#count = 0;
    }
  }
}
