import { randomUUID } from 'node:crypto';
import type { Answer } from '../../../src';
import { BoundedMap, guarded, IotmpError, warnProcess } from '../../../src';

/** Names a call that waits for its answer from a flow. Plain data, so that it survives the cloning of messages. */
export interface ReplyToken {
  readonly type: 'iotmp';
  /** The node that keeps the call. */
  readonly node: string;
  readonly call: string;
}

interface PendingReply {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: IotmpError) => void;
  readonly timer: NodeJS.Timeout;
  readonly stop: () => void;
}

/** Calls that entered a flow and wait for its answer: bounded in number and in time. */
export class ReplyStore {
  static readonly #MAX_PENDING = 10_000;
  readonly #node: string;
  readonly #timeoutMs: number;
  readonly #pending = new Map<string, PendingReply>();
  /** Calls whose callers have gone: their answers are no fault of the flow. */
  readonly #gone = new BoundedMap<string, true>(ReplyStore.#MAX_PENDING, {
    onForget: () => {
      this.#forgotAt = performance.now();
    },
  });
  /** When a call was last forgotten whose caller has gone, on the scale of `performance.now`. */
  #forgotAt = -Infinity;

  /**
   * @param node id of the node that keeps the calls
   * @param timeoutMs time that a flow has for its answer
   */
  constructor(node: string, timeoutMs: number) {
    this.#node = node;
    this.#timeoutMs = timeoutMs;
  }

  /** Number of calls that wait. */
  get size(): number {
    return this.#pending.size;
  }

  /**
   * Opens a call. Its answer settles the promise: with IOTMP_ERR_TIMEOUT when there is none in time.
   * @throws IotmpError IOTMP_ERR_BUSY when too many calls wait
   */
  open(signal: AbortSignal): { token: ReplyToken; answer: Promise<Answer> } {
    if (this.#pending.size >= ReplyStore.#MAX_PENDING) {
      throw new IotmpError('IOTMP_ERR_BUSY', 'too many calls wait for the flow');
    }
    const token: ReplyToken = { type: 'iotmp', node: this.#node, call: randomUUID() };
    const answer = new Promise<Answer>((resolve, reject) => {
      const giveUp = guarded('flow caller gone', warnProcess, () => {
        this.#gone.set(token.call, true);
        this.#take(token.call)?.reject(new IotmpError('IOTMP_ERR_CLOSED', 'the caller is gone'));
      });
      const onTimeout = guarded('flow answer timeout', warnProcess, () =>
        this.#take(token.call)?.reject(
          new IotmpError('IOTMP_ERR_TIMEOUT', 'the flow did not answer in time'),
        ),
      );
      const timer = setTimeout(onTimeout, this.#timeoutMs);
      const stop = (): void => signal.removeEventListener('abort', giveUp);
      signal.addEventListener('abort', giveUp, { once: true });
      this.#pending.set(token.call, { resolve, reject, timer, stop });
    });
    return { token, answer };
  }

  /**
   * Answers a call. The answer to a caller that has gone is let go.
   * @throws IotmpError IOTMP_ERR_REPLY when it is unknown, already answered or expired
   */
  reply(token: ReplyToken, answer: Answer): void {
    const pending = this.#take(token.call);
    if (pending !== undefined) pending.resolve(answer);
    else if (!this.#hasGone(token.call))
      throw new IotmpError('IOTMP_ERR_REPLY', 'the call is unknown, answered or expired');
  }

  /** Gives up all calls that wait. */
  close(): void {
    for (const call of [...this.#pending.keys()]) {
      this.#take(call)?.reject(new IotmpError('IOTMP_ERR_CLOSED', 'the flow was stopped'));
    }
  }

  /** Where too many callers have gone to remember all of them, an unknown call counts as one of theirs. */
  #hasGone(call: string): boolean {
    return this.#gone.delete(call) || performance.now() - this.#forgotAt < this.#timeoutMs;
  }

  #take(call: string): PendingReply | undefined {
    const pending = this.#pending.get(call);
    if (pending === undefined) return undefined;
    this.#pending.delete(call);
    clearTimeout(pending.timer);
    pending.stop();
    return pending;
  }
}

/** Reads a token out of a message. */
export function replyToken(value: unknown): ReplyToken | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (!('type' in value && 'node' in value && 'call' in value) || value.type !== 'iotmp') return undefined;
  if (typeof value.node !== 'string' || typeof value.call !== 'string') return undefined;
  return { type: 'iotmp', node: value.node, call: value.call };
}
