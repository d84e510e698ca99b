import { IotmpError } from '../../errors';
import type { Value } from '../../types';
import type { SampleQueue } from '../samples/sample-queue';
import { SampleReader } from '../samples/sample-reader';

/** What the opener of a stream wants to hear. */
export interface StreamListener {
  /**
   * A sample. `parameters` are those of the STREAM_DATA, mostly `undefined`; `at` is when it arrived, on the scale of the
   * session's clock, in ms.
   */
  onData(payload: Value | undefined, parameters: Value | undefined, at: number): void;
  /**
   * A stream that was open has ended: with the reason, or without one when {@link OutgoingStream.stop} ended it.
   * Called once; not for a stream whose opening failed.
   */
  onClose?(reason?: IotmpError): void;
  /** Something was written into the stream: it was sent, or waits for a slow peer. */
  onWrite?(payload: unknown): void;
}

/** What an outgoing stream needs of its session. */
export interface OutgoingStreamPort {
  sendSample(payload: unknown, queue: SampleQueue): boolean;
  /** Drops what waits for the peer. */
  forget(queue: SampleQueue): void;
  /** Sends START_STREAM under the stream's id and waits for the answer. */
  start(stream: OutgoingStream, parameters: unknown): Promise<Value | undefined>;
  /** Sends STOP_STREAM and waits for the answer, which may be an error. */
  stop(stream: OutgoingStream): Promise<void>;
  /** Runs code of the listener: what it throws ends nothing. */
  runGuarded(callback: () => void): void;
}

/** A stream that this end opened on a resource of the peer (`protocol.md` section 6). */
export class OutgoingStream {
  readonly id: number;
  readonly resource: unknown;
  /** Payload of the OK that opened it: the current value of some event streams. */
  initial: Value | undefined;
  readonly #port: OutgoingStreamPort;
  readonly #listener: StreamListener;
  readonly #queue: SampleQueue;
  #state: 'opening' | 'open' | 'stopping' | 'closed' = 'opening';
  #reason: IotmpError | undefined;
  #stopped: Promise<void> | undefined;
  #reader: SampleReader | undefined;

  /** @internal made by a session */
  constructor(
    port: OutgoingStreamPort,
    init: { id: number; resource: unknown; listener: StreamListener; queue: SampleQueue },
  ) {
    this.id = init.id;
    this.resource = init.resource;
    this.#port = port;
    this.#listener = init.listener;
    this.#queue = init.queue;
  }

  /** Whether the stream has ended, or is about to. */
  get closed(): boolean {
    return this.#state === 'stopping' || this.#state === 'closed';
  }

  /** Samples to the peer that gave way to newer ones, because it read too slowly. */
  get dropped(): number {
    return this.#queue.dropped;
  }

  /**
   * Writes into the stream: the resource runs with it. Returns false when it waits for a slow peer.
   * @throws IotmpError IOTMP_ERR_ENCODE, IOTMP_ERR_TOO_LARGE, IOTMP_ERR_CLOSED
   */
  write(payload: unknown): boolean {
    if (this.closed) throw closedError();
    const sent = this.#port.sendSample(payload, this.#queue);
    this.#listener.onWrite?.(payload);
    return sent;
  }

  /**
   * Opens the stream once more under its id: devices take that as new parameters (`protocol.md` section 6).
   * @throws IotmpError as a request does; the stream is still the old one then
   */
  async restart(parameters: unknown): Promise<void> {
    if (this.closed) throw closedError();
    await this.#port.start(this, parameters);
  }

  /** Ends the stream; resolves when the peer has answered, or will not. Idempotent. */
  stop(): Promise<void> {
    if (this.#state === 'closed') return Promise.resolve();
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /**
   * @internal the peer has opened it
   * @throws IotmpError the reason, when it has ended since
   */
  handleOpened(initial: Value | undefined): void {
    if (this.#reason !== undefined) throw this.#reason;
    this.#state = 'open';
    this.initial = initial;
  }

  /** @internal the peer is asked for the compact form: from now on its samples may come in it */
  expectCompact(): void {
    this.#reader ??= new SampleReader();
  }

  /** @internal a sample arrived; one that comes after the stop is let go */
  handleData(payload: Value | undefined, parameters: Value | undefined, at: number): void {
    if (this.closed) return;
    const sample = this.#reader === undefined ? payload : this.#reader.read(payload, parameters);
    this.#listener.onData(sample, parameters, at);
  }

  /** @internal the peer or the connection ended the stream */
  end(reason: IotmpError): void {
    const wasOpen = this.#state === 'open';
    this.#state = 'closed';
    this.#reason ??= reason;
    this.#port.forget(this.#queue);
    if (wasOpen) this.#port.runGuarded(() => this.#listener.onClose?.(reason));
  }

  async #stop(): Promise<void> {
    this.#state = 'stopping';
    this.#port.forget(this.#queue);
    const stopped = this.#port.stop(this);
    this.#port.runGuarded(() => this.#listener.onClose?.());
    await stopped;
    this.#state = 'closed';
  }
}

function closedError(): IotmpError {
  return new IotmpError('IOTMP_ERR_CLOSED', 'the stream has ended');
}
