import { MessageType } from '../codec/constants';
import type { Message } from '../codec/message';
import type { OutgoingMessage } from '../codec/message-encoder';
import { IotmpError, RemoteError } from '../errors';
import { isMap, type Value } from '../types';
import type { Clock, Timer } from '../util/clock';
import { abortedError } from './session-errors';

/** The peer's answer to a request. */
export interface Reply {
  readonly payload: Value | undefined;
  /** The code in the answer's parameters, 200 without one (`protocol.md` section 5). */
  readonly statusCode: number;
  /** The answer's parameters as they came. */
  readonly parameters: Value | undefined;
}

/** How long a request may wait, and who may give it up. */
export interface RequestOptions {
  /** Time for the answer, in ms. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What the table needs of its session. */
export interface RequestTablePort {
  readonly clock: Clock;
  readonly requestTimeoutMs: number;
  readonly maxPendingRequests: number;
  /** A free stream id. */
  nextId(): number;
  send(message: OutgoingMessage): void;
}

/** The two ends that a request can come to. */
interface Settler {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: IotmpError) => void;
}

interface PendingRequest {
  settler: Settler | undefined;
  readonly timer: Timer;
  readonly signal: AbortSignal | undefined;
  readonly onAbort: (() => void) | undefined;
}

/** Requests of this end that wait for their answer. Every one of them is settled, whatever happens. */
export class RequestTable {
  readonly #port: RequestTablePort;
  readonly #pending = new Map<number, PendingRequest>();

  constructor(port: RequestTablePort) {
    this.#port = port;
  }

  /** Number of requests that wait. */
  get size(): number {
    return this.#pending.size;
  }

  /** Whether a request waits under this id. */
  has(id: number): boolean {
    return this.#pending.has(id);
  }

  /**
   * Sends a request and waits for its answer.
   * @param id the stream id to use; a free one without it
   * @throws IotmpError (as a rejection) IOTMP_ERR_REMOTE, IOTMP_ERR_TIMEOUT, IOTMP_ERR_ABORTED,
   *   IOTMP_ERR_CLOSED, IOTMP_ERR_BUSY, IOTMP_ERR_ENCODE, IOTMP_ERR_TOO_LARGE
   */
  request(message: OutgoingMessage, options: RequestOptions = {}, id?: number): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const { signal } = options;
      if (signal?.aborted === true) throw abortedError();
      this.#checkRoom(message.type);
      const streamId = id ?? this.#port.nextId();
      this.#take(streamId)?.reject(abortedError());
      this.#port.send({ ...message, streamId });
      this.#wait(streamId, options, { resolve, reject });
    });
  }

  /** Settles the request that an OK or ERROR answers. Returns false when none waits under its id. */
  handleReply(message: Message): boolean {
    const id = message.streamId;
    const pending = id === undefined ? undefined : this.#take(id);
    if (pending === undefined) return false;
    const reply = replyOf(message);
    if (message.type === MessageType.OK && reply.statusCode < 400) pending.resolve(reply);
    else pending.reject(remoteError(reply));
    return true;
  }

  /** Rejects the request that waits under this id, if any. */
  reject(id: number, error: IotmpError): void {
    this.#take(id)?.reject(error);
  }

  /** Rejects everything that waits. */
  rejectAll(error: IotmpError): void {
    for (const id of [...this.#pending.keys()]) this.#take(id)?.reject(error);
  }

  /** A stream can always be stopped; there are no more of them than streams. */
  #checkRoom(type: number): void {
    if (type === MessageType.STOP_STREAM || this.#pending.size < this.#port.maxPendingRequests) return;
    throw new IotmpError('IOTMP_ERR_BUSY', 'too many requests wait for an answer');
  }

  #wait(
    id: number,
    { timeoutMs = this.#port.requestTimeoutMs, signal }: RequestOptions,
    settler: Settler,
  ): void {
    const onAbort = signal && ((): void => this.#take(id)?.reject(abortedError()));
    const timer = this.#port.clock.after(timeoutMs, () => {
      this.#take(id)?.reject(new IotmpError('IOTMP_ERR_TIMEOUT', `no answer within ${timeoutMs / 1000} s`));
    });
    if (onAbort !== undefined) signal?.addEventListener('abort', onAbort);
    this.#pending.set(id, { settler, timer, signal, onAbort });
  }

  /**
   * Takes a request out; whoever takes it settles it. What stays of the entry holds nothing that is worth anything: in
   * a map that is busy, V8 keeps entries reachable until a full collection, and with them all that they hold.
   */
  #take(id: number): Settler | undefined {
    const pending = this.#pending.get(id);
    if (pending === undefined) return undefined;
    this.#pending.delete(id);
    pending.timer.cancel();
    if (pending.onAbort !== undefined) pending.signal?.removeEventListener('abort', pending.onAbort);
    const { settler } = pending;
    pending.settler = undefined;
    return settler;
  }
}

function replyOf(message: Message): Reply {
  const code = message.parameters;
  const fallback = message.type === MessageType.ERROR ? 500 : 200;
  const statusCode = typeof code === 'number' && Number.isSafeInteger(code) ? code : fallback;
  return { payload: message.payload, statusCode, parameters: message.parameters };
}

/** The text that a device gives with an ERROR: `{"error": text}`, of streams `{"message": text}`. */
function remoteError(reply: Reply): RemoteError {
  const { payload, statusCode } = reply;
  let text = `the peer answered with an error (${statusCode})`;
  if (isMap(payload)) {
    const detail = payload.error ?? payload.message;
    if (typeof detail === 'string') text = detail;
  }
  return new RemoteError(text, statusCode, payload);
}
