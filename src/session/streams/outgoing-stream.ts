import { MessageType } from '../../codec/constants';
import type { OutgoingMessage } from '../../codec/writing/message-encoder';
import { errorText, IotmpError } from '../../errors';
import type { Value } from '../../types';
import type { SessionCore } from '../base/session-core';
import type { RequestOptions } from '../requests/reply';
import type { RequestTable } from '../requests/request-table';
import { askForCompact } from '../samples/compact-form';
import { ConversationIntake } from '../conversations/conversation-intake';
import { tooSlowError } from '../conversations/waiting-bytes';
import { MessageLimits } from '../samples/message-queue';
import { Sample } from '../samples/sample';
import { SampleForm } from '../samples/sample-form';
import type { SampleQueue } from '../samples/sample-queue';
import { SampleReader } from '../samples/sample-reader';
import type { Outbox } from '../wire/outbox';
import { detached } from '../../util/guard';
import type { SessionStream, StreamListener } from './session-stream';
import { stopMessage } from './stop-reason';
import type { StreamKind } from './stream-kind';
import { streamQueue } from './stream-queue';

/** What a stream is made with. */
export interface OutgoingStreamInit {
  readonly id: number;
  /** What the START_STREAM carries beside parameters. */
  readonly start: Pick<OutgoingMessage, 'resource' | 'payload'>;
  readonly kind: StreamKind;
  /** Whether a conversation gives nothing to its listener before it is resumed. */
  readonly paused: boolean;
  readonly listener: StreamListener;
  /**
   * Takes the stream out of the table of its session.
   * @param isGone whether the peer has answered, so that nothing of the stream is left there
   */
  readonly forget: (isGone: boolean) => void;
}

/** A stream that this end opened on a resource of the peer (`protocol.md` section 6). */
export class OutgoingStream implements SessionStream {
  readonly id: number;
  readonly kind: StreamKind;
  initial: Value | undefined;
  readonly #core: SessionCore;
  readonly #outbox: Outbox;
  readonly #requests: RequestTable;
  readonly #init: OutgoingStreamInit;
  readonly #queue: SampleQueue;
  /** Only a conversation has one. */
  readonly #intake: ConversationIntake | undefined;
  #state: 'opening' | 'open' | 'stopping' | 'closed' = 'opening';
  #reason: IotmpError | undefined;
  #stopped: Promise<void> | undefined;
  /** Settles when a conversation that is being stopped has sent what was written into it, or cannot. */
  #flushed: PromiseWithResolvers<undefined> | undefined;
  #told = false;
  #reader: SampleReader | undefined;

  constructor(core: SessionCore, requests: RequestTable, outbox: Outbox, init: OutgoingStreamInit) {
    this.id = init.id;
    this.kind = init.kind;
    this.#core = core;
    this.#requests = requests;
    this.#outbox = outbox;
    this.#init = init;
    const onRoom = (): void => {
      if (!this.closed) core.runGuarded(() => init.listener.onDrain?.());
    };
    this.#queue = streamQueue(init.kind, new SampleForm(init.id, 'full'), core.options, onRoom);
    if (init.kind === 'messages') this.#queue.limits = MessageLimits.assured;
    if (init.kind === 'conversation') this.#intake = this.#newIntake();
  }

  get resource(): unknown {
    return this.#init.start.resource;
  }

  get closed(): boolean {
    return this.#state === 'stopping' || this.#state === 'closed';
  }

  get dropped(): number {
    return this.#queue.dropped;
  }

  write(payload: unknown): boolean {
    if (this.closed) throw closedError();
    const sent = this.#send(new Sample(payload));
    this.#init.listener.onWrite?.(payload);
    return sent;
  }

  pause(): void {
    this.#intake?.pause();
  }

  resume(): void {
    this.#intake?.resume();
  }

  async restart(parameters: unknown): Promise<void> {
    if (this.closed) throw closedError();
    await this.#start(parameters, {});
  }

  stop(): Promise<void> {
    if (this.#state === 'closed') {
      // What the reader did not take is let go.
      this.#intake?.clear();
      if (this.#reason !== undefined) this.#tell(undefined);
      return Promise.resolve();
    }
    this.#stopped ??= this.#stop(undefined);
    return this.#stopped;
  }

  /**
   * Opens the stream. A conversation that the peer opened and ended at once was opened: what it said is not lost.
   * @throws IotmpError (as a rejection) as a request does, or the reason for which it ended meanwhile
   */
  async open(parameters: unknown, options: RequestOptions): Promise<void> {
    this.initial = await this.#start(parameters, options);
    if (this.#reason === undefined) this.#state = 'open';
    else if (this.#intake === undefined) throw this.#reason;
    else this.#tellBehind(this.#intake, this.#reason);
  }

  /**
   * A sample arrived. One that comes after the stop is let go.
   * @param size of the message, in bytes
   */
  handleData(payload: Value | undefined, parameters: Value | undefined, at: number, size: number): void {
    if (this.closed) return;
    const sample = this.#reader === undefined ? payload : this.#reader.read(payload, parameters);
    if (this.#intake === undefined) this.#init.listener.onData(sample, parameters, at);
    else this.#intake.take(sample, parameters, at, size);
  }

  /** The peer or the connection ended the stream. */
  end(reason: IotmpError): void {
    const wasOpen = this.#state === 'open';
    this.#state = 'closed';
    this.#reason ??= reason;
    this.#outbox.forget(this.#queue);
    this.#flushed?.resolve(undefined);
    if (!wasOpen) return;
    if (this.#intake === undefined) this.#tell(reason);
    else this.#tellBehind(this.#intake, reason);
  }

  /** Lets go of everything: the stream was not opened. */
  discard(): void {
    this.#intake?.clear();
  }

  #send(sample: Sample): boolean {
    try {
      return this.#outbox.sendSample(sample, this.#queue);
    } catch (error) {
      const isFull = error instanceof IotmpError && error.code === 'IOTMP_ERR_BUSY';
      // A publisher is told of the message that is not taken; those that wait stay.
      if (isFull && this.kind === 'conversation') this.fail(error);
      throw error;
    }
  }

  /** Ends a conversation that cannot go on, and tells both ends the reason. */
  fail(reason: IotmpError): void {
    if (this.closed) return;
    if (this.kind === 'conversation') this.#outbox.conversationsFailed++;
    this.#stopped = this.#stop(reason);
    detached('conversation given up', (error) => this.#core.warn(errorText(error)), this.#stopped);
  }

  #newIntake(): ConversationIntake {
    const { listener, paused } = this.#init;
    const core = this.#core;
    return new ConversationIntake(
      {
        reading: core.reading,
        limit: core.options.maxConversationBytes,
        deliver: (payload, parameters, at) => listener.onData(payload, parameters, at),
        guard: (callback) => core.runGuarded(callback),
        onOverflow: () => this.fail(tooSlowError('reader')),
      },
      paused,
    );
  }

  #tellBehind(intake: ConversationIntake, reason: IotmpError): void {
    intake.end(() => this.#tell(reason));
  }

  #tell(reason: IotmpError | undefined): void {
    if (this.#told) return;
    this.#told = true;
    this.#core.runGuarded(() => this.#init.listener.onClose?.(reason));
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

  /** @param reason why a conversation is given up; what was written into it is let go then */
  async #stop(reason: IotmpError | undefined): Promise<void> {
    this.#state = 'stopping';
    this.#intake?.clear();
    if (reason !== undefined || !this.#queue.lossless) this.#outbox.forget(this.#queue);
    const stopped = this.#sendStop(reason);
    this.#tell(reason);
    await stopped;
    this.#state = 'closed';
  }

  /** The id stays taken until the peer has answered, so that late samples are not strays. */
  async #sendStop(reason: IotmpError | undefined): Promise<void> {
    let isGone = false;
    try {
      if (this.#queue.bytes > 0 && !(await this.#flush())) return;
      const message = reason === undefined ? { type: MessageType.STOP_STREAM } : stopMessage(this.id, reason);
      await this.#requests.request(message, {}, this.id);
      isGone = true;
    } catch (error) {
      if (!(error instanceof IotmpError)) throw error;
      isGone = error.code === 'IOTMP_ERR_REMOTE';
      if (error.code !== 'IOTMP_ERR_CLOSED') this.#core.warn(`stop of stream ${this.id}: ${error.message}`);
    } finally {
      this.#init.forget(isGone);
    }
  }

  /** Waits until a conversation has sent what was written into it. Returns false when it has ended before. */
  async #flush(): Promise<boolean> {
    this.#flushed = Promise.withResolvers<undefined>();
    const { promise, resolve } = this.#flushed;
    this.#queue.whenEmpty(() => resolve(undefined));
    await promise;
    return this.#state === 'stopping';
  }
}

function closedError(): IotmpError {
  return new IotmpError('IOTMP_ERR_CLOSED', 'the stream has ended');
}
