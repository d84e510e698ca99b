import { MessageType } from '../../codec/constants';
import type { Message } from '../../codec/message';
import type { OutgoingMessage } from '../../codec/writing/message-encoder';
import { IotmpError } from '../../errors';
import type { DeviceId, Value } from '../../types';
import { askForCompact, takeCompactWish, type StreamParameters } from '../samples/compact-form';
import type { Inbox } from '../wire/inbox';
import { IncomingStream, type IncomingStreamPort } from './incoming-stream';
import type { Outbox } from '../wire/outbox';
import { OutgoingStream, type StreamListener } from './outgoing-stream';
import type { PendingWork } from '../hosting/pending-work';
import type { Reply, RequestOptions, RequestTable } from '../requests/request-table';
import type { ResolvedResource, ResourceHost } from '../hosting/resource-registry';
import { Sample } from '../samples/sample';
import { SampleForm, type FormKind } from '../samples/sample-form';
import { SampleQueue } from '../samples/sample-queue';
import { abortedError, asIotmpError } from '../base/session-errors';
import type { SessionOptions } from '../base/session-options';
import { streamInterval } from './stream-interval';

/** What the streams need of their session. */
export interface StreamTablePort {
  readonly options: SessionOptions;
  readonly host: ResourceHost;
  readonly work: PendingWork;
  readonly signal: AbortSignal;
  readonly caller: DeviceId | undefined;
  readonly outbox: Outbox;
  readonly requests: RequestTable;
  readonly inbox: Pick<Inbox, 'heardAt'>;
  nextId(): number;
  answer(id: number | undefined, payload: unknown): void;
  refuse(id: number | undefined, error: unknown): void;
  runGuarded(callback: () => void): void;
  warn(text: string): void;
}

/** Unknown ids that were told to stop; more are not remembered. */
const MAX_STRAYS = 1024;

/**
 * The streams of a session, both those that this end opened and those that the peer opened. The ids of both
 * share one space, as they do in devices (`protocol.md` section 6).
 */
export class StreamTable {
  readonly #port: StreamTablePort;
  readonly #outgoing = new Map<number, OutgoingStream>();
  readonly #incoming = new Map<number, IncomingStream>();
  readonly #strays = new Set<number>();

  constructor(port: StreamTablePort) {
    this.#port = port;
  }

  /** Number of open streams in both directions. */
  get size(): number {
    return this.#outgoing.size + this.#incoming.size;
  }

  /** Whether a stream of either side uses this id. */
  has(id: number): boolean {
    return this.#outgoing.has(id) || this.#incoming.has(id);
  }

  /**
   * Opens a stream on a resource of the peer. Samples may reach the listener before the promise settles.
   * @throws IotmpError (as a rejection) as a request does
   */
  async open(
    message: OutgoingMessage,
    listener: StreamListener,
    options: RequestOptions,
  ): Promise<OutgoingStream> {
    if (options.signal?.aborted === true) throw abortedError();
    if (this.#outgoing.size >= this.#port.options.maxStreams) throw tooManyStreams();
    const id = this.#port.nextId();
    const stream = new OutgoingStream(
      {
        sendSample: (payload, queue) => this.#port.outbox.sendSample(new Sample(payload), queue),
        forget: (queue) => this.#port.outbox.forget(queue),
        start: async (again, parameters) => {
          // The caller's signal was for the opening.
          const { timeoutMs } = options;
          return (await this.#start(again, { ...message, parameters }, { timeoutMs })).payload;
        },
        stop: (stopped) => this.#stop(stopped),
        runGuarded: (callback) => this.#port.runGuarded(callback),
      },
      { id, resource: message.resource, listener, queue: this.#newQueue(new SampleForm(id, 'full')) },
    );
    this.#outgoing.set(stream.id, stream);
    try {
      stream.handleOpened((await this.#start(stream, message, options)).payload);
      return stream;
    } catch (error) {
      this.#abandon(stream, error);
      throw error;
    }
  }

  /** A START_STREAM of the peer. Under an id that it already uses, a new stream replaces the old, if it may start. */
  handleStart(message: Message): void {
    const { streamId: id, resource } = message;
    if (id === undefined || id === 0) {
      this.#port.warn('START_STREAM without stream id');
      return;
    }
    try {
      const { parameters, kind } = this.#formOf(message.parameters);
      const target = this.#port.host.resolveStream(resource, parameters);
      this.#checkStart(id, target);
      const replaced = this.#incoming.get(id);
      replaced?.end();
      const form = new SampleForm(id, kind, target.resource.sampleKeys, replaced?.form);
      this.#open(this.#newIncoming(target, form), target);
    } catch (error) {
      this.#port.refuse(id, error);
    }
  }

  /** A STOP_STREAM of the peer: of a stream that it opened, or of one of ours that ended on its side. */
  handleStop(message: Message): void {
    const id = message.streamId ?? 0;
    const outgoing = this.#outgoing.get(id);
    const incoming = this.#incoming.get(id);
    if (outgoing !== undefined) {
      const reason = new IotmpError('IOTMP_ERR_CLOSED', 'the peer ended the stream');
      this.#outgoing.delete(id);
      outgoing.end(reason);
      this.#port.requests.reject(id, reason);
    } else if (incoming !== undefined) {
      incoming.end();
      this.#port.answer(id, undefined);
    } else {
      this.#port.refuse(id, new IotmpError('IOTMP_ERR_NOT_FOUND', 'no such stream'));
    }
  }

  /** A sample of one of our streams, or input for one of the peer's. An unknown id is told to stop, once. */
  handleData(message: Message): void {
    const id = message.streamId ?? 0;
    const outgoing = this.#outgoing.get(id);
    if (outgoing !== undefined) {
      outgoing.handleData(message.payload, message.parameters, this.#port.inbox.heardAt);
      return;
    }
    const incoming = this.#incoming.get(id);
    if (incoming !== undefined) incoming.handleData(message.payload);
    else if (id !== 0) this.#stopStray(id);
  }

  /** Ends every stream, with the reason. */
  endAll(reason: IotmpError): void {
    for (const stream of [...this.#outgoing.values()]) stream.end(reason);
    this.#outgoing.clear();
    for (const stream of [...this.#incoming.values()]) stream.end();
  }

  #start(stream: OutgoingStream, message: OutgoingMessage, options: RequestOptions): Promise<Reply> {
    this.#strays.delete(stream.id);
    const { parameters, isCompact } = this.#ask(message.parameters);
    if (isCompact) stream.expectCompact();
    const start = { ...message, type: MessageType.START_STREAM, parameters };
    return this.#port.requests.request(start, options, stream.id);
  }

  /** Parameters for the peer; only one that is known to understand it is asked for the compact form. */
  #ask(parameters: unknown): StreamParameters<unknown> {
    return this.#port.outbox.compact ? askForCompact(parameters) : { parameters, isCompact: false };
  }

  /** Parameters of the peer without what they say of the form, and the form. */
  #formOf(given: Value | undefined): { parameters: Value | undefined; kind: FormKind } {
    if (!this.#port.outbox.compact) return { parameters: given, kind: 'full' };
    const { parameters, isCompact } = takeCompactWish(given);
    return { parameters, kind: isCompact ? 'compact' : 'marked' };
  }

  /** A start that was refused, timed out or was given up: the peer may have opened it all the same. */
  #abandon(stream: OutgoingStream, error: unknown): void {
    const reason = asIotmpError(error);
    const maybeOpen = reason.code === 'IOTMP_ERR_TIMEOUT' || reason.code === 'IOTMP_ERR_ABORTED';
    this.#forgetOutgoing(stream);
    stream.end(reason);
    if (!maybeOpen) return;
    // What is still on its way is let go without a second STOP_STREAM.
    if (this.#strays.size < MAX_STRAYS) this.#strays.add(stream.id);
    this.#sendStop(stream.id);
  }

  /** The id stays taken until the peer has answered, so that late samples are not strays. */
  async #stop(stream: OutgoingStream): Promise<void> {
    try {
      await this.#port.requests.request({ type: MessageType.STOP_STREAM }, {}, stream.id);
    } catch (error) {
      if (!(error instanceof IotmpError)) throw error;
      if (error.code !== 'IOTMP_ERR_CLOSED') this.#port.warn(`stop of stream ${stream.id}: ${error.message}`);
    } finally {
      this.#forgetOutgoing(stream);
    }
  }

  #forgetOutgoing(stream: OutgoingStream): void {
    if (this.#outgoing.get(stream.id) === stream) this.#outgoing.delete(stream.id);
  }

  #checkStart(id: number, target: ResolvedResource | undefined): asserts target is ResolvedResource {
    if (target === undefined) throw new IotmpError('IOTMP_ERR_NOT_FOUND', 'no such resource');
    const { kind, streamable } = target.resource.definition;
    if (kind === 'run' || streamable === false) {
      throw new IotmpError('IOTMP_ERR_NOT_ALLOWED', 'the resource has no streams');
    }
    if (this.#outgoing.has(id)) {
      throw new IotmpError('IOTMP_ERR_CONFLICT', `stream id ${id} is in use by the other side`);
    }
    if (!this.#incoming.has(id) && this.#incoming.size >= this.#port.options.maxStreams) {
      throw tooManyStreams();
    }
  }

  #newIncoming(target: ResolvedResource, form: SampleForm): IncomingStream {
    const id = form.streamId;
    this.#strays.delete(id);
    const queue = this.#newQueue(form);
    const intervalMs = streamInterval(target.parameters);
    const init = { id, target, intervalMs, caller: this.#port.caller, queue };
    const stream = new IncomingStream(this.#incomingPort(queue), init);
    this.#incoming.set(id, stream);
    return stream;
  }

  #incomingPort(queue: SampleQueue): IncomingStreamPort {
    const { options, work, signal, outbox } = this.#port;
    return {
      clock: options.clock,
      handlerTimeoutMs: options.handlerTimeoutMs,
      work,
      signal,
      sendSample: (sample, samples) => outbox.sendSample(sample, samples),
      release: (samples) => outbox.release(samples),
      sendStop: (id) => this.#sendStop(id),
      refuse: (id, error) => this.#port.refuse(id, error),
      forget: (stream) => {
        if (this.#incoming.get(stream.id) === stream) this.#incoming.delete(stream.id);
        outbox.forget(queue);
      },
      warn: (text) => this.#port.warn(text),
    };
  }

  /** Asks the resource whether it takes the stream, and answers now or later. */
  #open(stream: IncomingStream, target: ResolvedResource): void {
    const { definition } = target.resource;
    const accept = (payload: unknown): void => {
      if (stream.closed) return;
      try {
        this.#port.answer(stream.id, payload);
        stream.accept();
      } catch (error) {
        refuse(error);
      }
    };
    const refuse = (error: unknown): void => {
      if (stream.closed) return;
      stream.end();
      this.#port.refuse(stream.id, error);
    };
    try {
      const opened = definition.open?.(stream);
      if (!(opened instanceof Promise)) accept(opened);
      else {
        const timeoutMs = definition.timeoutMs ?? this.#port.options.handlerTimeoutMs;
        this.#port.work.wait(opened, timeoutMs, accept, refuse);
      }
    } catch (error) {
      refuse(error);
    }
  }

  #stopStray(id: number): void {
    if (this.#strays.has(id) || this.#strays.size >= MAX_STRAYS) return;
    this.#strays.add(id);
    this.#sendStop(id);
  }

  #sendStop(streamId: number): void {
    this.#port.outbox.send({ type: MessageType.STOP_STREAM, streamId });
  }

  #newQueue(form: SampleForm): SampleQueue {
    return new SampleQueue(form, this.#port.options.maxQueuedSamples);
  }
}

function tooManyStreams(): IotmpError {
  return new IotmpError('IOTMP_ERR_BUSY', 'too many streams are open');
}
