import { MessageType } from '../../codec/constants';
import type { OutgoingMessage } from '../../codec/writing/message-encoder';
import { IotmpError } from '../../errors';
import type { Value } from '../../types';
import type { SessionCore } from '../base/session-core';
import type { RequestOptions } from '../requests/reply';
import type { RequestTable } from '../requests/request-table';
import { askForCompact } from '../samples/compact-form';
import { Sample } from '../samples/sample';
import type { SampleQueue } from '../samples/sample-queue';
import { SampleReader } from '../samples/sample-reader';
import type { Outbox } from '../wire/outbox';
import type { SessionStream, StreamListener } from './session-stream';

/** What a stream is made with. */
export interface OutgoingStreamInit {
  readonly id: number;
  /** What the START_STREAM carries beside parameters. */
  readonly start: Pick<OutgoingMessage, 'resource' | 'payload'>;
  readonly listener: StreamListener;
  readonly queue: SampleQueue;
  /** Takes the stream out of the table of its session. */
  readonly forget: () => void;
}

/** A stream that this end opened on a resource of the peer (`protocol.md` section 6). */
export class OutgoingStream implements SessionStream {
  readonly id: number;
  initial: Value | undefined;
  readonly #core: SessionCore;
  readonly #outbox: Outbox;
  readonly #requests: RequestTable;
  readonly #init: OutgoingStreamInit;
  #state: 'opening' | 'open' | 'stopping' | 'closed' = 'opening';
  #reason: IotmpError | undefined;
  #stopped: Promise<void> | undefined;
  #reader: SampleReader | undefined;

  constructor(core: SessionCore, requests: RequestTable, outbox: Outbox, init: OutgoingStreamInit) {
    this.id = init.id;
    this.#core = core;
    this.#requests = requests;
    this.#outbox = outbox;
    this.#init = init;
  }

  get resource(): unknown {
    return this.#init.start.resource;
  }

  get closed(): boolean {
    return this.#state === 'stopping' || this.#state === 'closed';
  }

  get dropped(): number {
    return this.#init.queue.dropped;
  }

  write(payload: unknown): boolean {
    if (this.closed) throw closedError();
    const { listener, queue } = this.#init;
    const sent = this.#outbox.sendSample(new Sample(payload), queue);
    listener.onWrite?.(payload);
    return sent;
  }

  async restart(parameters: unknown): Promise<void> {
    if (this.closed) throw closedError();
    await this.#start(parameters, {});
  }

  stop(): Promise<void> {
    if (this.#state === 'closed') return Promise.resolve();
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /**
   * Opens the stream.
   * @throws IotmpError (as a rejection) as a request does, or the reason for which it ended meanwhile
   */
  async open(parameters: unknown, options: RequestOptions): Promise<void> {
    const initial = await this.#start(parameters, options);
    if (this.#reason !== undefined) throw this.#reason;
    this.#state = 'open';
    this.initial = initial;
  }

  /** A sample arrived. One that comes after the stop is let go. */
  handleData(payload: Value | undefined, parameters: Value | undefined, at: number): void {
    if (this.closed) return;
    const sample = this.#reader === undefined ? payload : this.#reader.read(payload, parameters);
    this.#init.listener.onData(sample, parameters, at);
  }

  /** The peer or the connection ended the stream. */
  end(reason: IotmpError): void {
    const { listener, queue } = this.#init;
    const wasOpen = this.#state === 'open';
    this.#state = 'closed';
    this.#reason ??= reason;
    this.#outbox.forget(queue);
    if (wasOpen) this.#core.runGuarded(() => listener.onClose?.(reason));
  }

  /** Only a peer that is known to understand the compact form is asked for it. */
  async #start(given: unknown, options: RequestOptions): Promise<Value | undefined> {
    const { parameters, isCompact } = this.#outbox.compact
      ? askForCompact(given)
      : { parameters: given, isCompact: false };
    if (isCompact) this.#reader ??= new SampleReader();
    const { resource, payload } = this.#init.start;
    const message = { type: MessageType.START_STREAM, parameters, payload, resource };
    return (await this.#requests.request(message, options, this.id)).payload;
  }

  async #stop(): Promise<void> {
    const { listener, queue } = this.#init;
    this.#state = 'stopping';
    this.#outbox.forget(queue);
    const stopped = this.#sendStop();
    this.#core.runGuarded(() => listener.onClose?.());
    await stopped;
    this.#state = 'closed';
  }

  /** The id stays taken until the peer has answered, so that late samples are not strays. */
  async #sendStop(): Promise<void> {
    try {
      await this.#requests.request({ type: MessageType.STOP_STREAM }, {}, this.id);
    } catch (error) {
      if (!(error instanceof IotmpError)) throw error;
      if (error.code !== 'IOTMP_ERR_CLOSED') this.#core.warn(`stop of stream ${this.id}: ${error.message}`);
    } finally {
      this.#init.forget();
    }
  }
}

function closedError(): IotmpError {
  return new IotmpError('IOTMP_ERR_CLOSED', 'the stream has ended');
}
