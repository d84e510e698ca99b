import { MessageType } from '../codec/constants';
import type { Message } from '../codec/message';
import type { OutgoingMessage } from '../codec/writing/message-encoder';
import { errorText, IotmpError } from '../errors';
import type { Transport } from '../transport/transport';
import type { DeviceId } from '../types';
import { CallServer } from './hosting/call-server';
import { dispatch, type DispatcherPort } from './dispatcher';
import { errorAnswer, isAnswerWanted } from './base/error-answer';
import { Handshake, type HandshakePort } from './handshake';
import { IdSequence } from './requests/id-sequence';
import { Inbox } from './wire/inbox';
import { KeepAlive, type KeepAliveOptions } from './wire/keep-alive';
import { Outbox } from './wire/outbox';
import type { OutgoingStream, StreamListener } from './streams/outgoing-stream';
import { PendingWork } from './hosting/pending-work';
import { RequestTable, type Reply, type RequestOptions } from './requests/request-table';
import type { ResourceHost } from './hosting/resource-registry';
import { asIotmpError, connectionLost, notOpenError } from './base/session-errors';
import type { SessionHooks } from './session-hooks';
import { sessionOptions, type SessionOptions } from './base/session-options';
import type { SessionState } from './session-state';
import { StreamTable } from './streams/stream-table';
import { WarningGate } from './base/warning-gate';

export type { ConnectRequest } from './handshake';
export type { SessionHooks } from './session-hooks';
export type { SessionState } from './session-state';

/** What a call carries beside its resource. */
export interface CallOptions extends RequestOptions {
  readonly payload?: unknown;
  readonly parameters?: unknown;
}

/**
 * One end of a connection (`protocol.md` sections 1 and 4-6). The same class serves at both ends: it hosts
 * resources, calls those of the other side, opens and serves streams, and keeps alive. When it ends, for
 * whatever reason, everything that was pending is settled with that reason.
 */
export class Session implements DispatcherPort {
  /** Who is at the other end, once that is known. */
  peer: DeviceId | undefined = undefined;
  readonly transport: Transport;
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly options: SessionOptions;
  readonly host: ResourceHost;
  /** Where this end takes its stream ids from; may be replaced by that of the device before it opens. */
  ids = new IdSequence();
  readonly #hooks: SessionHooks;
  // Made when they are needed: of ten thousand devices nearly all are idle nearly all the time.
  #requests: RequestTable | undefined;
  #streams: StreamTable | undefined;
  #calls: CallServer | undefined;
  #work: PendingWork | undefined;
  #warnings: WarningGate | undefined;
  /** Let go of once the session is open. */
  #handshake: Handshake | undefined;
  #state: SessionState = 'connecting';
  #keepAlive: KeepAlive | undefined;
  #abort: AbortController | undefined;

  /** Starts to listen at once. `options` are checked: IOTMP_ERR_CONFIG. */
  constructor(
    transport: Transport,
    host: ResourceHost,
    hooks: SessionHooks,
    options: Partial<SessionOptions> = {},
  ) {
    this.transport = transport;
    this.host = host;
    this.options = sessionOptions(options);
    this.#hooks = hooks;
    this.outbox = new Outbox(this);
    this.#handshake = new Handshake(this.#handshakePort());
    this.inbox = new Inbox(this);
    transport.start({
      onData: (chunk) => this.inbox.push(chunk),
      onDrain: () => this.outbox.handleDrain(),
      onClose: (error) => {
        this.#end(connectionLost(error));
        this.runGuarded(() => this.#hooks.onGone?.());
      },
    });
  }

  /** Requests of this end that wait for their answer. */
  get requests(): RequestTable {
    return (this.#requests ??= new RequestTable(this));
  }

  /** @internal Streams of both ends. */
  get streams(): StreamTable {
    return (this.#streams ??= new StreamTable(this));
  }

  /** @internal */
  get calls(): CallServer {
    return (this.#calls ??= new CallServer(this));
  }

  /** @internal Calls of the peer that are being worked on. */
  get work(): PendingWork {
    const { clock, maxConcurrentCalls } = this.options;
    const onFault = (error: unknown): void => this.destroy(asIotmpError(error));
    return (this.#work ??= new PendingWork(clock, maxConcurrentCalls, onFault));
  }

  get state(): SessionState {
    return this.#state;
  }

  /** Aborts when the session ends. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#state === 'closed') this.#abort.abort(notOpenError('closed'));
    }
    return this.#abort.signal;
  }

  /** @internal The caller that hosted resources are told of. */
  get caller(): DeviceId | undefined {
    return this.peer;
  }

  /** Messages and bytes received so far. */
  get messagesIn(): number {
    return this.inbox.messages;
  }

  get bytesIn(): number {
    return this.inbox.bytes;
  }

  /** Number of open streams in both directions. */
  get streamCount(): number {
    return this.#streams?.size ?? 0;
  }

  /**
   * Server side: gives the peer this long to send CONNECT and to be let in, in ms.
   */
  expectConnect(timeoutMs: number): void {
    this.#handshake?.expect(timeoutMs);
  }

  /**
   * Client side: sends CONNECT and takes the first message as the answer (`protocol.md` section 4.2). After
   * OK the session is open; after anything else it is the caller who ends it.
   * @throws IotmpError (as a rejection) the reason, when the session ends before the answer; IOTMP_ERR_TIMEOUT,
   *   IOTMP_ERR_ENCODE and IOTMP_ERR_TOO_LARGE end it
   */
  connect(payload: unknown, parameters: unknown, timeoutMs: number): Promise<Message> {
    if (this.#handshake !== undefined) return this.#handshake.connect(payload, parameters, timeoutMs);
    return Promise.reject(new IotmpError('IOTMP_ERR_CONFLICT', 'CONNECT was sent before'));
  }

  /** Starts the keep-alive of an open session, or starts it anew with other times. */
  keepAlive(options: KeepAliveOptions): void {
    this.#keepAlive?.stop();
    if (this.#state === 'closed') return;
    this.#keepAlive = new KeepAlive(
      this.options.clock,
      options,
      () => this.outbox.sendOrEnd({ type: MessageType.KEEP_ALIVE }),
      () => this.destroy(new IotmpError('IOTMP_ERR_TIMEOUT', 'the peer is silent')),
    );
  }

  /**
   * Runs a resource of the peer (`protocol.md` section 5).
   * @throws IotmpError (as a rejection): see {@link RequestTable.request}
   */
  call(resource: unknown, options: CallOptions = {}): Promise<Reply> {
    const { payload, parameters } = options;
    const message = { type: MessageType.RUN, streamId: undefined, parameters, payload, resource };
    return this.requests.request(message, options);
  }

  /** Asks what the peer hosts, or, of one resource, for samples; that one may act (`protocol.md` section 5). */
  describe(resource?: unknown, options: RequestOptions = {}): Promise<Reply> {
    return this.requests.request({ type: MessageType.DESCRIBE, resource }, options);
  }

  /** Opens a stream on a resource of the peer (`protocol.md` section 6). */
  openStream(
    resource: unknown,
    listener: StreamListener,
    options: CallOptions = {},
  ): Promise<OutgoingStream> {
    const { payload, parameters } = options;
    return this.streams.open(
      { type: MessageType.START_STREAM, resource, payload, parameters },
      listener,
      options,
    );
  }

  /** Ends the session in good order: DISCONNECT, then the connection. Idempotent. */
  close(reason = new IotmpError('IOTMP_ERR_CLOSED', 'the session was closed')): void {
    if (this.#state === 'open') this.outbox.sendOrEnd({ type: MessageType.DISCONNECT });
    this.#endInOrder(reason);
  }

  /** Ends the session at once. Idempotent. */
  destroy(reason: IotmpError): void {
    if (this.#state === 'closed') return;
    this.transport.destroy();
    this.#end(reason);
  }

  /** @internal */
  nextId(): number {
    if (this.#state !== 'open') throw notOpenError(this.#state);
    if (this.outbox.full) throw new IotmpError('IOTMP_ERR_BUSY', 'the peer reads too slowly');
    return this.#nextId();
  }

  /** @internal Sends a message of an open session. */
  send(message: OutgoingMessage): void {
    if (this.#state !== 'open') throw notOpenError(this.#state);
    this.outbox.send(message);
  }

  /**
   * @internal Answers a request with OK. Nothing is sent when it throws.
   * @throws IotmpError IOTMP_ERR_ENCODE or IOTMP_ERR_TOO_LARGE
   */
  answer(streamId: number | undefined, payload: unknown, statusCode?: number): void {
    this.#reply({ type: MessageType.OK, streamId, parameters: statusCode, payload });
  }

  /**
   * @internal Answers a request with ERROR, its code and its text. It never throws: an ERROR that cannot be sent gives
   * way to one without code and text, and if that fails too, the session ends.
   */
  refuse(streamId: number | undefined, error: unknown): void {
    try {
      this.#reply(errorAnswer(streamId, error));
    } catch (cause) {
      this.warn(`an ERROR could not be sent: ${errorText(cause)}`);
      this.outbox.sendOrEnd({ type: MessageType.ERROR, streamId });
    }
  }

  /** @internal */
  refuseWith(streamId: number | undefined, statusCode: number, payload: unknown): void {
    this.#reply({ type: MessageType.ERROR, streamId, parameters: statusCode, payload });
  }

  /** @internal */
  warn(text: string): void {
    this.#warnings ??= new WarningGate(this.options.clock, (line) => this.#hooks.onWarning?.(line));
    this.#warnings.warn(text);
  }

  /** @internal Runs code of our users: what it throws is a warning. */
  runGuarded(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.warn(errorText(error));
    }
  }

  /** @internal */
  pauseReading(): void {
    this.inbox.pause();
  }

  /** @internal */
  resumeReading(): void {
    this.inbox.resume();
  }

  /** @internal */
  handleLife(now: number): void {
    this.#keepAlive?.heard(now);
  }

  /** @internal */
  handleMessage(message: Message, firstKey: number): void {
    if (this.#state === 'open') dispatch(message, this);
    else this.#handshake?.handle(message, firstKey);
  }

  /** @internal Only a server echoes; a client takes the echo. */
  handleKeepAlive(): void {
    if (this.#hooks.onConnect !== undefined) this.outbox.sendOrEnd({ type: MessageType.KEEP_ALIVE });
  }

  /** @internal */
  handleDisconnect(message: Message): void {
    if (isAnswerWanted(message)) this.outbox.sendOrEnd({ type: MessageType.OK, streamId: message.streamId });
    this.#endInOrder(new IotmpError('IOTMP_ERR_CLOSED', 'the peer disconnected'));
  }

  /** @internal */
  handleFirstFault(type: number, error: IotmpError, streamId?: number): void {
    this.#handshake?.handleFault(type, error, streamId);
  }

  #reply(message: OutgoingMessage): void {
    if (this.#state !== 'closed' && isAnswerWanted(message)) this.outbox.send(message);
  }

  #nextId(): number {
    return this.ids.next((id) => this.#requests?.has(id) === true || this.#streams?.has(id) === true);
  }

  #handshakePort(): HandshakePort {
    return {
      session: this,
      onConnect: this.#hooks.onConnect?.bind(this.#hooks),
      takeId: () => this.#nextId(),
      open: () => {
        this.#state = 'open';
        this.#handshake = undefined;
        this.inbox.open();
      },
      handleLetIn: () => this.runGuarded(() => this.#hooks.onOpen?.()),
      end: (reason) => this.#endInOrder(reason),
    };
  }

  /** Ends the session after what has been sent. */
  #endInOrder(reason: IotmpError): void {
    if (this.#state === 'closed') return;
    this.transport.close();
    this.#end(reason);
  }

  #end(reason: IotmpError): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#keepAlive?.stop();
    this.inbox.dispose();
    this.outbox.dispose();
    this.#work?.endAll();
    this.#handshake?.end(reason);
    this.#requests?.rejectAll(reason);
    this.#streams?.endAll(reason);
    this.#abort?.abort(reason);
    this.runGuarded(() => this.#hooks.onClose?.(reason));
  }
}
