import { MessageType } from '../codec/constants';
import type { Message } from '../codec/message';
import type { OutgoingMessage } from '../codec/writing/message-encoder';
import { errorText, IotmpError } from '../errors';
import type { Transport, TransportHandler } from '../transport/transport';
import type { DeviceId } from '../types';
import { errorAnswer, isAnswerWanted } from './base/error-answer';
import type { SessionCore } from './base/session-core';
import { connectionLost, notOpenError, type SessionState } from './base/session-errors';
import { sessionOptions, type SessionOptions } from './base/session-options';
import { WarningGate } from './base/warning-gate';
import { Dispatcher } from './dispatcher';
import { Handshake } from './handshake';
import type { ResourceHost } from './hosting/resource-registry';
import { IdSequence } from './requests/id-sequence';
import type { CallOptions, Reply, RequestOptions } from './requests/reply';
import type { Session } from './session';
import type { SessionHooks } from './session-hooks';
import type { SessionStream, StreamListener, StreamOptions } from './streams/session-stream';
import { Inbox, type MessagePace } from './wire/inbox';
import { KeepAlive, type KeepAliveOptions, type KeepAlivePort } from './wire/keep-alive';
import { Outbox } from './wire/outbox';
import { ReadingGate } from './wire/reading-gate';

/**
 * One end of a connection (`protocol.md` sections 1 and 4-6). The same class serves at both ends: it hosts resources,
 * calls those of the other side, opens and serves streams, and keeps alive. It is three things at once: the `Session` of
 * its user, the `SessionCore` of its parts, and what its transport tells of the connection.
 */
export class PeerSession implements Session, SessionCore, KeepAlivePort, TransportHandler {
  readonly transport: Transport;
  readonly options: SessionOptions;
  readonly host: ResourceHost;
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  peer: DeviceId | undefined = undefined;
  ids = new IdSequence();
  readonly #hooks: SessionHooks;
  readonly #parts: Dispatcher;
  /** Let go of once the session is open. */
  #handshake: Handshake | undefined;
  #state: SessionState = 'connecting';
  #keepAlive: KeepAlive | undefined;
  #abort: AbortController | undefined;
  #warnings: WarningGate | undefined;
  /** Most connections are always read. */
  #reading: ReadingGate | undefined;

  /**
   * Starts to listen at once.
   * @throws IotmpError IOTMP_ERR_CONFIG for options that are not usable
   */
  constructor(
    transport: Transport,
    host: ResourceHost,
    hooks: SessionHooks,
    options: Partial<SessionOptions> = {},
  ) {
    this.transport = transport;
    this.options = sessionOptions(options);
    this.host = host;
    this.#hooks = hooks;
    this.outbox = new Outbox(this);
    this.#parts = new Dispatcher(this, host, this.outbox);
    this.#handshake = new Handshake(this, this.outbox, hooks);
    this.inbox = new Inbox(this);
    transport.start(this);
  }

  get state(): SessionState {
    return this.#state;
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#state === 'closed') this.#abort.abort(notOpenError('closed'));
    }
    return this.#abort.signal;
  }

  get isRead(): boolean {
    return this.#reading?.closed !== true;
  }

  get reading(): ReadingGate {
    return (this.#reading ??= this.#newGate());
  }

  get maxBodySize(): number {
    return this.outbox.maxBodySize;
  }

  set maxBodySize(bytes: number) {
    this.outbox.maxBodySize = bytes;
  }

  get pace(): MessagePace | undefined {
    return this.inbox.pace;
  }

  set pace(pace: MessagePace | undefined) {
    this.inbox.pace = pace;
  }

  get messagesIn(): number {
    return this.inbox.messages;
  }

  get messagesOut(): number {
    return this.outbox.messages;
  }

  get bytesIn(): number {
    return this.inbox.bytes;
  }

  get bytesOut(): number {
    return this.outbox.bytes;
  }

  get oversized(): number {
    return this.inbox.oversized;
  }

  get heardAt(): number {
    return this.inbox.heardAt;
  }

  get streamCount(): number {
    return this.#parts.streamCount;
  }

  get messagesDropped(): number {
    return this.inbox.dropped;
  }

  get conversationsFailed(): number {
    return this.outbox.conversationsFailed;
  }

  get samplesDropped(): number {
    return this.outbox.dropped;
  }

  /** Number of requests of this end that wait for their answer. */
  get requestCount(): number {
    return this.#parts.requests.size;
  }

  /** Number of calls of the peer that are being worked on. */
  get callCount(): number {
    return this.#parts.work.size;
  }

  expectConnect(timeoutMs: number): void {
    this.#handshake?.expect(timeoutMs);
  }

  connect(payload: unknown, parameters: unknown, timeoutMs: number): Promise<Message> {
    if (this.#handshake !== undefined) return this.#handshake.connect(payload, parameters, timeoutMs);
    return Promise.reject(new IotmpError('IOTMP_ERR_CONFLICT', 'CONNECT was sent before'));
  }

  keepAlive(options: KeepAliveOptions): void {
    this.#keepAlive?.stop();
    if (this.#state === 'closed') return;
    this.#keepAlive = new KeepAlive(this.options.clock, options, this);
  }

  sendKeepAlive(): void {
    this.outbox.sendOrEnd({ type: MessageType.KEEP_ALIVE });
  }

  handleSilence(): void {
    this.destroy(new IotmpError('IOTMP_ERR_TIMEOUT', 'the peer is silent'));
  }

  call(resource: unknown, options: CallOptions = {}): Promise<Reply> {
    const { payload, parameters } = options;
    const message = { type: MessageType.RUN, streamId: undefined, parameters, payload, resource };
    return this.#parts.requests.request(message, options);
  }

  describe(resource?: unknown, options: RequestOptions = {}): Promise<Reply> {
    return this.#parts.requests.request({ type: MessageType.DESCRIBE, resource }, options);
  }

  openStream(
    resource: unknown,
    listener: StreamListener,
    options: StreamOptions = {},
  ): Promise<SessionStream> {
    return this.#parts.streams.open(resource, listener, options);
  }

  stopLeft(): void {
    if (this.ids.left.length > 0) this.#parts.streams.stopLeft();
  }

  close(reason = new IotmpError('IOTMP_ERR_CLOSED', 'the session was closed')): void {
    if (this.#state === 'open') this.outbox.sendOrEnd({ type: MessageType.DISCONNECT });
    this.endInOrder(reason);
  }

  destroy(reason: IotmpError): void {
    if (this.#state === 'closed') return;
    this.transport.destroy();
    this.#end(reason);
  }

  onData(chunk: Buffer): void {
    this.inbox.push(chunk);
    this.#reading?.handleRead();
  }

  onDrain(): void {
    this.outbox.handleDrain();
  }

  onClose(error?: Error): void {
    this.#end(connectionLost(error));
    this.runGuarded(() => this.#hooks.onGone?.());
  }

  nextId(): number {
    if (this.#state === 'closed') throw notOpenError(this.#state);
    if (this.outbox.full) throw new IotmpError('IOTMP_ERR_BUSY', 'the peer reads too slowly');
    return this.ids.next((id) => this.#parts.has(id));
  }

  send(message: OutgoingMessage): void {
    if (this.#state !== 'open') throw notOpenError(this.#state);
    this.outbox.send(message);
  }

  answer(streamId: number | undefined, payload: unknown, statusCode?: number): void {
    this.#reply({ type: MessageType.OK, streamId, parameters: statusCode, payload });
  }

  refuse(streamId: number | undefined, error: unknown): void {
    try {
      this.#reply(errorAnswer(streamId, error));
    } catch (cause) {
      this.warn(`an ERROR could not be sent: ${errorText(cause)}`);
      this.outbox.sendOrEnd({ type: MessageType.ERROR, streamId });
    }
  }

  refuseWith(streamId: number | undefined, statusCode: number, payload: unknown): void {
    this.#reply({ type: MessageType.ERROR, streamId, parameters: statusCode, payload });
  }

  warn(text: string): void {
    this.#warnings ??= new WarningGate(this.options.clock, (line) => this.#hooks.onWarning?.(line));
    this.#warnings.warn(text);
  }

  runGuarded(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.warn(errorText(error));
    }
  }

  handleLife(now: number): void {
    this.#keepAlive?.heard(now);
  }

  handleFirstByte(byte: number): void {
    this.#handshake?.handleFirstByte(byte);
  }

  handleMessage(message: Message, firstKey: number): void {
    if (this.#state !== 'open') this.#handshake?.handle(message, firstKey);
    else if (message.type === MessageType.KEEP_ALIVE) this.#echoKeepAlive();
    else if (message.type === MessageType.DISCONNECT) this.#handleDisconnect(message);
    else this.#parts.dispatch(message, this.inbox.heardAt, this.inbox.bodySize);
  }

  handleOversized(type: number, streamId: number | undefined, text: string): void {
    this.#parts.handleOversized(type, streamId, text);
  }

  handleFirstFault(type: number, error: IotmpError, streamId?: number): void {
    this.#handshake?.handleFault(type, error, streamId);
  }

  handleOpen(): void {
    this.#state = 'open';
    this.#handshake = undefined;
    this.inbox.open();
  }

  handleLetIn(): void {
    this.runGuarded(() => this.#hooks.onOpen?.());
  }

  endInOrder(reason: IotmpError): void {
    if (this.#state === 'closed') return;
    this.transport.close();
    this.#end(reason);
  }

  /** Only a server echoes; a client takes the echo. */
  #echoKeepAlive(): void {
    if (this.#hooks.onConnect !== undefined) this.outbox.sendOrEnd({ type: MessageType.KEEP_ALIVE });
  }

  #handleDisconnect(message: Message): void {
    if (isAnswerWanted(message)) this.outbox.sendOrEnd({ type: MessageType.OK, streamId: message.streamId });
    this.endInOrder(new IotmpError('IOTMP_ERR_CLOSED', 'the peer disconnected'));
  }

  #newGate(): ReadingGate {
    const { inbox } = this;
    return new ReadingGate({
      clock: this.options.clock,
      get bytesRead() {
        return inbox.bytes;
      },
      pause: () => inbox.pause(),
      resume: () => inbox.resume(),
      hasWaited: (ms) => this.#parts.hasWaited(ms),
      spend: (messages) => inbox.spend(messages),
      handleLife: (now) => this.handleLife(now),
    });
  }

  #reply(message: OutgoingMessage): void {
    if (this.#state !== 'closed' && isAnswerWanted(message)) this.outbox.send(message);
  }

  #end(reason: IotmpError): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#keepAlive?.stop();
    this.#reading?.dispose();
    this.inbox.dispose();
    this.outbox.dispose();
    this.#handshake?.end(reason);
    this.#parts.end(reason);
    this.#abort?.abort(reason);
    this.runGuarded(() => this.#hooks.onClose?.(reason));
  }
}
