import { ConnectCode, MessageType } from '../codec/constants';
import type { Message } from '../codec/message';
import { IotmpError } from '../errors';
import type { Timer } from '../util/clock';
import { compactOffer, offersCompact } from './samples/compact-form';
import { errorAnswer } from './base/error-answer';
import type { Outbox } from './wire/outbox';
import { asIotmpError, notOpenError } from './base/session-errors';
import type { SessionCore } from './base/session-core';
import type { ConnectRequest, SessionHooks } from './session-hooks';
import { isAwaitable } from '../util/awaitable';
import { guarded } from '../util/guard';

interface PendingConnect {
  readonly offersCompact: boolean;
  resolve(answer: Message): void;
  reject(error: IotmpError): void;
}

/** How a session becomes open: CONNECT and its answer, seen from either end (`protocol.md` section 4). */
export class Handshake {
  readonly #core: SessionCore;
  readonly #outbox: Outbox;
  readonly #hooks: SessionHooks;
  #timer: Timer | undefined;
  #pending: PendingConnect | undefined;

  constructor(core: SessionCore, outbox: Outbox, hooks: SessionHooks) {
    this.#core = core;
    this.#outbox = outbox;
    this.#hooks = hooks;
  }

  /** Server side: gives the peer this long to send CONNECT and to be let in, in ms. */
  expect(timeoutMs: number): void {
    this.#startTimer(timeoutMs, 'no CONNECT in time');
  }

  /** Client side: sends CONNECT; the first message is the answer, whatever it is. */
  connect(payload: unknown, parameters: unknown, timeoutMs: number): Promise<Message> {
    return new Promise((resolve, reject) => {
      if (this.#core.state === 'closed') throw notOpenError('closed');
      if (this.#pending !== undefined || this.#core.state === 'open') {
        throw new IotmpError('IOTMP_ERR_CONFLICT', 'CONNECT was sent before');
      }
      this.#pending = { offersCompact: offersCompact(parameters), resolve, reject };
      this.#startTimer(timeoutMs, 'the server did not answer CONNECT');
      try {
        const streamId = this.#core.nextId();
        this.#outbox.send({ type: MessageType.CONNECT, streamId, parameters, payload });
      } catch (error) {
        this.#core.destroy(asIotmpError(error));
      }
    });
  }

  /** The first byte is a type. A server waits for nothing that does not begin as a CONNECT. */
  handleFirstByte(byte: number): void {
    if (this.#hooks.onConnect === undefined || byte === MessageType.CONNECT) return;
    this.#core.destroy(new IotmpError('IOTMP_ERR_PROTOCOL', this.#unexpected()));
  }

  /** The first message: a server takes nothing but CONNECT, and a client nothing before it asked. */
  handle(message: Message, firstKey: number): void {
    if (this.#pending !== undefined) this.#handleAnswer(this.#pending, message);
    else if (message.type === MessageType.CONNECT && this.#hooks.onConnect !== undefined) {
      this.#decide({ message, firstKey });
    } else this.#core.destroy(new IotmpError('IOTMP_ERR_PROTOCOL', this.#unexpected()));
  }

  /** A first message that does not decode, or of a type that nobody knows. */
  handleFault(type: number, error: IotmpError, streamId?: number): void {
    const isConnect = type === MessageType.CONNECT && this.#hooks.onConnect !== undefined;
    if (isConnect) this.#turnAway(streamId, error, ConnectCode.BAD_ENCODING);
    else this.#core.destroy(error);
  }

  /** To be called when the session ends. */
  end(reason: IotmpError): void {
    this.#timer?.cancel();
    this.#pending?.reject(reason);
    this.#pending = undefined;
  }

  get #isOpen(): boolean {
    return this.#core.state === 'open';
  }

  #startTimer(timeoutMs: number, text: string): void {
    if (this.#core.state === 'closed') return;
    this.#timer?.cancel();
    this.#timer = this.#core.options.clock.after(timeoutMs, () =>
      this.#core.destroy(new IotmpError('IOTMP_ERR_TIMEOUT', text)),
    );
  }

  #handleAnswer(pending: PendingConnect, message: Message): void {
    this.#pending = undefined;
    this.#timer?.cancel();
    if (message.type === MessageType.OK) {
      this.#outbox.compact = pending.offersCompact && offersCompact(message.parameters);
      this.#core.handleOpen();
    }
    pending.resolve(message);
  }

  #decide(request: ConnectRequest): void {
    const { message } = request;
    let verdict: void | Promise<void>;
    try {
      verdict = this.#hooks.onConnect?.(request);
    } catch (error) {
      this.#turnAway(message.streamId, error);
      return;
    }
    if (isAwaitable(verdict)) this.#decideLater(message, verdict);
    else this.#letIn(message);
  }

  /** What the peer sends behind its CONNECT waits until it is let in. */
  #decideLater(message: Message, verdict: Promise<void>): void {
    this.#core.reading.stop(this);
    const onFault = (error: unknown): void => this.#core.destroy(asIotmpError(error));
    verdict.then(
      guarded('login accepted', onFault, () => {
        this.#letIn(message);
        if (this.#isOpen) this.#core.reading.lift(this);
      }),
      guarded('login refused', onFault, (error: unknown) => this.#turnAway(message.streamId, error)),
    );
  }

  /** Devices get the bare OK that they know: the answer says more only to those who said it first. */
  #letIn({ streamId, parameters }: Message): void {
    if (this.#core.state !== 'connecting') return;
    this.#timer?.cancel();
    this.#outbox.compact = offersCompact(parameters);
    this.#core.handleOpen();
    this.#outbox.sendOrEnd({
      type: MessageType.OK,
      streamId,
      parameters: this.#outbox.compact ? compactOffer : undefined,
    });
    if (this.#isOpen) this.#core.handleLetIn();
  }

  #turnAway(streamId: number | undefined, error: unknown, statusCode?: number): void {
    if (this.#core.state !== 'connecting') return;
    this.#outbox.sendOrEnd(errorAnswer(streamId, error, statusCode));
    this.#core.endInOrder(asIotmpError(error));
  }

  #unexpected(): string {
    return this.#hooks.onConnect === undefined
      ? 'the server spoke before it was asked'
      : 'the first message was not CONNECT';
  }
}
