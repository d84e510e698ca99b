import { MessageType } from '../../codec/constants';
import type { Message } from '../../codec/message';
import { IotmpError, RemoteError } from '../../errors';
import type { Value } from '../../types';
import { isAwaitable } from '../../util/awaitable';
import type { SessionCore } from '../base/session-core';
import { abortedError, asIotmpError, UnreadAnswerError } from '../base/session-errors';
import type { PendingWork } from '../hosting/pending-work';
import type { ResolvedResource, ResourceHost } from '../hosting/resource-registry';
import type { RequestTable } from '../requests/request-table';
import { takeCompactWish } from '../samples/compact-form';
import { SampleForm, type FormKind } from '../samples/sample-form';
import type { Outbox } from '../wire/outbox';
import { IncomingStream } from './incoming-stream';
import { OutgoingStream } from './outgoing-stream';
import type { StreamListener, StreamOptions } from './session-stream';
import { complaintOf, streamLost } from './stop-reason';
import { streamInterval } from './stream-interval';
import { isSessionName, sessionInUse, streamKind } from './stream-kind';
import { guarded, warnProcess } from '../../util/guard';

/** Unknown ids that were told to stop; more are not remembered. */
const MAX_STRAYS = 1024;

/**
 * The streams of a session, both those that this end opened and those that the peer opened. The ids of both
 * share one space, as they do in devices (`protocol.md` section 6).
 */
export class StreamTable {
  readonly #core: SessionCore;
  readonly #host: ResourceHost;
  readonly #work: PendingWork;
  readonly #requests: RequestTable;
  readonly #outbox: Outbox;
  readonly #outgoing = new Map<number, OutgoingStream>();
  readonly #incoming = new Map<number, IncomingStream>();
  readonly #strays = new Set<number>();

  constructor(
    core: SessionCore,
    host: ResourceHost,
    work: PendingWork,
    requests: RequestTable,
    outbox: Outbox,
  ) {
    this.#core = core;
    this.#host = host;
    this.#work = work;
    this.#requests = requests;
    this.#outbox = outbox;
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
   * @throws IotmpError (as a rejection) as a request does; IOTMP_ERR_CONFLICT when the session of that name is in use
   */
  async open(
    resource: unknown,
    listener: StreamListener,
    { parameters, payload, timeoutMs, signal, kind, paused = false }: StreamOptions,
  ): Promise<OutgoingStream> {
    if (signal?.aborted === true) throw abortedError();
    if (this.#outgoing.size >= this.#core.options.maxStreams) throw tooManyStreams();
    if (isSessionName(resource)) this.#checkFree(resource);
    const id = this.#core.nextId();
    const stream: OutgoingStream = new OutgoingStream(this.#core, this.#requests, this.#outbox, {
      id,
      start: { resource, payload },
      kind: kind ?? streamKind(resource, parameters),
      paused,
      listener,
      forget: (isGone) => {
        if (isGone) this.#core.ids.noteEnded(id);
        this.#forgetOutgoing(stream);
      },
    });
    this.#outgoing.set(id, stream);
    if (stream.kind === 'conversation') this.#core.ids.noteOpened(id);
    this.#strays.delete(id);
    try {
      await stream.open(parameters, { timeoutMs, signal });
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
      this.#core.warn('START_STREAM without stream id');
      return;
    }
    try {
      const { parameters, kind } = this.#formOf(message.parameters);
      const target = this.#host.resolveStream(resource, parameters);
      this.#checkStart(id, target);
      const replaced = this.#incoming.get(id);
      replaced?.end();
      const form = new SampleForm(id, kind, target.resource.sampleKeys, replaced?.form);
      this.#open(this.#newIncoming(target, form), target);
    } catch (error) {
      this.#core.refuse(id, error);
    }
  }

  /** A STOP_STREAM of the peer: of a stream that it opened, or of one of ours that ended on its side. */
  handleStop(message: Message): void {
    const id = message.streamId ?? 0;
    const outgoing = this.#outgoing.get(id);
    const incoming = this.#incoming.get(id);
    if (outgoing !== undefined) {
      const reason = complaintOf(message) ?? new IotmpError('IOTMP_ERR_CLOSED', 'the peer ended the stream');
      this.#outgoing.delete(id);
      this.#core.ids.noteEnded(id);
      outgoing.end(reason);
      this.#requests.reject(id, reason);
    } else if (incoming !== undefined) {
      incoming.handleStop(complaintOf(message));
      this.#core.answer(id, undefined);
    } else {
      this.#core.refuse(id, new IotmpError('IOTMP_ERR_NOT_FOUND', 'no such stream'));
    }
  }

  /**
   * A sample of one of our streams, or input for one of the peer's. An unknown id is told to stop, once.
   * @param at when it arrived, on the clock's scale, in ms
   * @param size of its body, in bytes
   */
  handleData(message: Message, at: number, size: number): void {
    const id = message.streamId ?? 0;
    const outgoing = this.#outgoing.get(id);
    if (outgoing !== undefined) {
      outgoing.handleData(message.payload, message.parameters, at, size);
      return;
    }
    const incoming = this.#incoming.get(id);
    if (incoming !== undefined) incoming.handleData(message.payload, size);
    else if (id !== 0) this.#stopStray(id);
  }

  /** Data was too large to be read. Of a sample that is all; a conversation that lacks a part has failed. */
  handleOversized(id: number | undefined, text: string): void {
    const reason = new IotmpError('IOTMP_ERR_TOO_LARGE', text);
    for (const stream of [...this.#outgoing.values(), ...this.#incoming.values()]) {
      if (stream.kind === 'conversation' && (id === undefined || stream.id === id)) stream.fail(reason);
    }
  }

  /** Ends every stream, with the reason. */
  endAll(reason: IotmpError): void {
    const lost = streamLost(reason);
    for (const stream of [...this.#outgoing.values()]) stream.end(lost);
    this.#outgoing.clear();
    for (const stream of [...this.#incoming.values()]) stream.handleStop(lost);
  }

  /** Parameters of the peer without what they say of the form, and the form. */
  #formOf(given: Value | undefined): { parameters: Value | undefined; kind: FormKind } {
    if (!this.#outbox.compact) return { parameters: given, kind: 'full' };
    const { parameters, isCompact } = takeCompactWish(given);
    return { parameters, kind: isCompact ? 'compact' : 'marked' };
  }

  /** A start that was refused, timed out or was given up: the peer may have opened it all the same. */
  #abandon(stream: OutgoingStream, error: unknown): void {
    const reason = asIotmpError(error);
    const maybeOpen =
      reason.code === 'IOTMP_ERR_TIMEOUT' ||
      reason.code === 'IOTMP_ERR_ABORTED' ||
      reason instanceof UnreadAnswerError;
    this.#forgetOutgoing(stream);
    stream.end(reason);
    stream.discard();
    // One that was under way when the connection broke may be open, too.
    if (!maybeOpen && reason.code !== 'IOTMP_ERR_CLOSED') this.#core.ids.noteEnded(stream.id);
    if (!maybeOpen) return;
    // What is still on its way is let go without a second STOP_STREAM.
    if (this.#strays.size < MAX_STRAYS) this.#strays.add(stream.id);
    this.#sendStop(stream.id);
  }

  /** Stops what broken connections left at the peer. */
  stopLeft(): void {
    for (const id of this.#core.ids.left) {
      // Late data of these streams needs no second STOP_STREAM.
      if (this.#strays.size < MAX_STRAYS) this.#strays.add(id);
      const stopped = this.#requests.request({ type: MessageType.STOP_STREAM }, {}, id);
      stopped.then(
        guarded('left stream stopped', warnProcess, () => this.#core.ids.noteEnded(id)),
        guarded('left stream not stopped', warnProcess, (error: unknown) => {
          if (error instanceof RemoteError) this.#core.ids.noteEnded(id);
        }),
      );
    }
  }

  /** Nobody shares a session. The name of one that is being stopped is free. */
  #checkFree(resource: unknown): void {
    const name = nameOf(resource);
    for (const stream of this.#outgoing.values()) {
      if (stream.closed || nameOf(stream.resource) !== name) continue;
      throw sessionInUse(name);
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
    if (!this.#incoming.has(id) && this.#incoming.size >= this.#core.options.maxStreams) {
      throw tooManyStreams();
    }
  }

  #newIncoming(target: ResolvedResource, form: SampleForm): IncomingStream {
    const id = form.streamId;
    this.#strays.delete(id);
    const intervalMs = streamInterval(target.parameters);
    const stream = new IncomingStream(this.#core, this.#work, this.#outbox, {
      id,
      target,
      intervalMs,
      kind: target.resource.definition.streams ?? streamKind(target.path, target.parameters),
      form,
      forget: (ended) => {
        if (this.#incoming.get(id) === ended) this.#incoming.delete(id);
      },
    });
    this.#incoming.set(id, stream);
    return stream;
  }

  /** Asks the resource whether it takes the stream, and answers now or later. */
  #open(stream: IncomingStream, target: ResolvedResource): void {
    const { definition } = target.resource;
    const accept = (payload: unknown): void => {
      if (stream.closed) return;
      try {
        this.#core.answer(stream.id, payload);
        stream.accept();
      } catch (error) {
        refuse(error);
      }
    };
    const refuse = (error: unknown): void => {
      if (stream.closed) return;
      stream.end();
      this.#core.refuse(stream.id, error);
    };
    try {
      const opened = definition.open?.(stream);
      if (!isAwaitable(opened)) accept(opened);
      else {
        const timeoutMs = definition.timeoutMs ?? this.#core.options.handlerTimeoutMs;
        this.#work.wait(opened, timeoutMs, accept, refuse);
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
    this.#outbox.send({ type: MessageType.STOP_STREAM, streamId });
  }
}

function nameOf(resource: unknown): string {
  return Array.isArray(resource) ? resource.join('/') : String(resource);
}

function tooManyStreams(): IotmpError {
  return new IotmpError('IOTMP_ERR_BUSY', 'too many streams are open');
}
