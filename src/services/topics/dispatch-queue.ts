import { IotmpError } from '../../errors';

/** Tasks that one may beget before they are taken for a circle. */
const MAX_RUN = 10_000;

/** Runs tasks at once and one after the other: one that comes of another runs after it, not within it. */
export class DispatchQueue {
  readonly #tasks: (() => void)[] = [];
  #running = false;
  #count = 0;

  /** @throws IotmpError IOTMP_ERR_LOOP when tasks beget tasks without an end */
  checkRoom(): void {
    if (this.#count < MAX_RUN) return;
    throw new IotmpError('IOTMP_ERR_LOOP', 'messages are published in answer to messages in a circle');
  }

  /** Runs a task now or after those that are under way. One that throws costs those that wait. */
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
