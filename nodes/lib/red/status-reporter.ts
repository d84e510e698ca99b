import type { Node, NodeStatus } from 'node-red';
import { errorText, guarded, printable } from '../../../src';

/** Two statuses a second are enough for people, and do not flood the editor. */
const PAUSE_MS = 500;

/** Shows a node's status: only changes, and of many in a short time the last one. */
export class StatusReporter {
  readonly #node: Node;
  #shown = '';
  #next: NodeStatus | undefined;
  #pause: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(node: Node) {
    this.#node = node;
  }

  /** Shows a status, now or soon. */
  show(status: NodeStatus): void {
    if (this.#closed) return;
    this.#next = { ...status, text: printable(status.text ?? '') };
    if (this.#pause === undefined) this.#flush();
  }

  green(text: string): void {
    this.show({ fill: 'green', shape: 'dot', text });
  }

  yellow(text: string): void {
    this.show({ fill: 'yellow', shape: 'ring', text });
  }

  red(text: string): void {
    this.show({ fill: 'red', shape: 'ring', text });
  }

  grey(text: string): void {
    this.show({ fill: 'grey', shape: 'ring', text });
  }

  /** Clears the status and ends the timer. What comes later is not shown: the status is another node's by then. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#pause);
    this.#pause = undefined;
    this.#next = undefined;
    this.#node.status({});
  }

  #flush(): void {
    this.#pause = undefined;
    const status = this.#next;
    this.#next = undefined;
    if (status === undefined) return;
    const key = `${status.fill ?? ''}/${status.shape ?? ''}/${status.text ?? ''}`;
    if (key === this.#shown) return;
    this.#shown = key;
    this.#node.status(status);
    const onFault = (error: unknown): void => this.#node.error(errorText(error));
    this.#pause = setTimeout(
      guarded('node status', onFault, () => this.#flush()),
      PAUSE_MS,
    );
  }
}
