import { MessageType } from '../../codec/constants';
import type { Message } from '../../codec/message';
import type { OutgoingMessage } from '../../codec/writing/message-encoder';
import { IotmpError } from '../../errors';
import type { SessionCore } from '../base/session-core';
import { replyOf, type Reply, type RequestOptions } from './reply';
import { DeadlineTimer } from './deadline-timer';
import { IdTable, type IdTableEntry } from './id-table';
import { abortedError } from '../base/session-errors';
import { guarded, warnProcess, type Guarded } from '../../util/guard';

/** A request that waits for its answer. */
class PendingRequest implements IdTableEntry<PendingRequest> {
  next: PendingRequest | undefined = undefined;
  /** Told of the end of the request, if it has a signal. */
  onAbort: Guarded<[]> | undefined = undefined;

  constructor(
    readonly id: number,
    /** On the clock's scale, in ms. */
    readonly deadline: number,
    readonly options: RequestOptions,
    readonly resolve: (reply: Reply) => void,
    readonly reject: (error: unknown) => void,
  ) {}

  /** Settles the request with what an OK or ERROR says. */
  settle(answer: Message): void {
    try {
      this.resolve(replyOf(answer));
    } catch (error) {
      this.reject(error);
    }
  }
}

const NO_OPTIONS: RequestOptions = Object.freeze({});

/** Requests of this end that wait for their answer. Every one of them is settled, whatever happens. */
export class RequestTable {
  readonly #core: SessionCore;
  readonly #pending = new IdTable<PendingRequest>();
  readonly #deadlines: DeadlineTimer;

  constructor(core: SessionCore) {
    this.#core = core;
    this.#deadlines = new DeadlineTimer(core.options.clock, (now) => this.#rejectDue(now));
  }

  /** Number of requests that wait. */
  get size(): number {
    return this.#pending.size;
  }

  /** Whether a request waits under this id. */
  has(id: number): boolean {
    return this.#pending.get(id) !== undefined;
  }

  /**
   * Sends a request and waits for its answer.
   * @param message gets the stream id written into it
   * @param id the stream id to use; a free one without it
   * @throws IotmpError (as a rejection) IOTMP_ERR_REMOTE, IOTMP_ERR_TIMEOUT, IOTMP_ERR_ABORTED,
   *   IOTMP_ERR_CLOSED, IOTMP_ERR_BUSY, IOTMP_ERR_ENCODE, IOTMP_ERR_TOO_LARGE
   */
  request(message: OutgoingMessage, options: RequestOptions = NO_OPTIONS, id?: number): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (options.signal?.aborted === true) throw abortedError();
      this.#checkRoom(message.type);
      const streamId = id ?? this.#core.nextId();
      this.#take(streamId)?.reject(abortedError());
      message.streamId = streamId;
      this.#core.send(message);
      const deadline = this.#deadlines.note(options.timeoutMs ?? this.#core.options.requestTimeoutMs);
      this.#wait(new PendingRequest(streamId, deadline, options, resolve, reject));
    });
  }

  /** Settles the request that an OK or ERROR answers. Returns false when none waits under its id. */
  handleReply(message: Message): boolean {
    const id = message.streamId;
    const pending = id === undefined ? undefined : this.#take(id);
    if (pending === undefined) return false;
    pending.settle(message);
    return true;
  }

  /** Whether a request has waited for so long, in ms. */
  hasWaited(ms: number): boolean {
    const { clock, requestTimeoutMs } = this.#core.options;
    const latest = clock.now() - ms;
    return this.#pending
      .entries()
      .some(({ deadline, options: { timeoutMs = requestTimeoutMs } }) => deadline - timeoutMs <= latest);
  }

  /** Rejects the request that waits under this id, if any. */
  reject(id: number, error: IotmpError): void {
    this.#take(id)?.reject(error);
  }

  /** Rejects everything that waits; new requests may follow. */
  failAll(error: IotmpError): void {
    for (const { id } of this.#pending.entries()) this.#take(id)?.reject(error);
  }

  /** Rejects everything that waits. */
  rejectAll(error: IotmpError): void {
    this.#deadlines.stop();
    this.failAll(error);
  }

  /** A stream can always be stopped; there are no more of them than streams. */
  #checkRoom(type: number): void {
    if (type === MessageType.STOP_STREAM || this.#pending.size < this.#core.options.maxPendingRequests)
      return;
    throw new IotmpError('IOTMP_ERR_BUSY', 'too many requests wait for an answer');
  }

  #wait(pending: PendingRequest): void {
    const { id, options } = pending;
    this.#pending.add(pending);
    if (options.signal === undefined) return;
    pending.onAbort = guarded('request abort', warnProcess, () => this.#take(id)?.reject(abortedError()));
    options.signal.addEventListener('abort', pending.onAbort);
  }

  /** Rejects what has waited too long; returns the earliest deadline of the others. */
  #rejectDue(now: number): number {
    let earliest = Infinity;
    for (const { id, deadline, options } of this.#pending.entries()) {
      if (deadline > now) {
        earliest = Math.min(earliest, deadline);
        continue;
      }
      const { timeoutMs = this.#core.options.requestTimeoutMs } = options;
      this.#take(id)?.reject(new IotmpError('IOTMP_ERR_TIMEOUT', `no answer within ${timeoutMs / 1000} s`));
    }
    return earliest;
  }

  #take(id: number): PendingRequest | undefined {
    const pending = this.#pending.take(id);
    if (pending?.onAbort !== undefined) pending.options.signal?.removeEventListener('abort', pending.onAbort);
    return pending;
  }
}
