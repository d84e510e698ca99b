import { MessageType } from '../codec/constants';
import type { Message } from '../codec/message';
import { IotmpError } from '../errors';
import type { Timer } from '../util/clock';
import { compactOffer, offersCompact } from './samples/compact-form';
import { errorAnswer } from './base/error-answer';
import type { Outbox } from './wire/outbox';
import { asIotmpError, notOpenError } from './base/session-errors';
import type { SessionOptions } from './base/session-options';
import type { SessionState } from './session-state';
import { guarded } from '../util/guard';

/** A CONNECT as it came. */
export interface ConnectRequest {
  readonly message: Message;
  /** The first field key of its body: it tells the Linux client, which sends the payload first. */
  readonly firstKey: number;
}

/** The session as its handshake sees it. */
export interface ConnectingSession {
  readonly options: SessionOptions;
  readonly outbox: Outbox;
  readonly state: SessionState;
  destroy(reason: IotmpError): void;
  pauseReading(): void;
  resumeReading(): void;
}

/** What the handshake may do to its session. */
export interface HandshakePort {
  readonly session: ConnectingSession;
  /** Decides whether the peer is let in; a client has none. */
  readonly onConnect: ((request: ConnectRequest) => void | Promise<void>) | undefined;
  takeId(): number;
  open(): void;
  /** Server side: the OK has been sent. */
  handleLetIn(): void;
  /** Sends what is buffered, and ends the session. */
  end(reason: IotmpError): void;
}

interface PendingConnect {
  readonly offersCompact: boolean;
  resolve(answer: Message): void;
  reject(error: IotmpError): void;
}

/** The code that refuses a CONNECT that does not decode (`protocol.md` section 4.2). */
const BAD_ENCODING = 4;

/** How a session becomes open: CONNECT and its answer, seen from either end (`protocol.md` section 4). */
export class Handshake {
  readonly #port: HandshakePort;
  readonly #session: ConnectingSession;
  #timer: Timer | undefined;
  #pending: PendingConnect | undefined;

  constructor(port: HandshakePort) {
    this.#port = port;
    this.#session = port.session;
  }

  /** Server side: gives the peer this long to send CONNECT and to be let in, in ms. */
  expect(timeoutMs: number): void {
    this.#startTimer(timeoutMs, 'no CONNECT in time');
  }

  /** Client side: sends CONNECT; the first message is the answer, whatever it is. */
  connect(payload: unknown, parameters: unknown, timeoutMs: number): Promise<Message> {
    return new Promise((resolve, reject) => {
      if (this.#session.state === 'closed') throw notOpenError('closed');
      if (this.#pending !== undefined || this.#session.state === 'open') {
        throw new IotmpError('IOTMP_ERR_CONFLICT', 'CONNECT was sent before');
      }
      this.#pending = { offersCompact: offersCompact(parameters), resolve, reject };
      this.#startTimer(timeoutMs, 'the server did not answer CONNECT');
      try {
        const streamId = this.#port.takeId();
        this.#session.outbox.send({ type: MessageType.CONNECT, streamId, parameters, payload });
      } catch (error) {
        this.#session.destroy(asIotmpError(error));
      }
    });
  }

  /** The first message: a server takes nothing but CONNECT, and a client nothing before it asked. */
  handle(message: Message, firstKey: number): void {
    const { onConnect } = this.#port;
    if (this.#pending !== undefined) this.#handleAnswer(this.#pending, message);
    else if (message.type === MessageType.CONNECT && onConnect !== undefined) {
      this.#decide({ message, firstKey }, onConnect);
    } else this.#session.destroy(new IotmpError('IOTMP_ERR_PROTOCOL', this.#unexpected()));
  }

  /** A first message that does not decode, or of a type that nobody knows. */
  handleFault(type: number, error: IotmpError, streamId?: number): void {
    const isConnect = type === MessageType.CONNECT && this.#port.onConnect !== undefined;
    if (isConnect) this.#turnAway(streamId, error, BAD_ENCODING);
    else this.#session.destroy(error);
  }

  /** To be called when the session ends. */
  end(reason: IotmpError): void {
    this.#timer?.cancel();
    this.#pending?.reject(reason);
    this.#pending = undefined;
  }

  #startTimer(timeoutMs: number, text: string): void {
    if (this.#session.state === 'closed') return;
    this.#timer?.cancel();
    this.#timer = this.#session.options.clock.after(timeoutMs, () =>
      this.#session.destroy(new IotmpError('IOTMP_ERR_TIMEOUT', text)),
    );
  }

  #handleAnswer(pending: PendingConnect, message: Message): void {
    this.#pending = undefined;
    this.#timer?.cancel();
    if (message.type === MessageType.OK) {
      this.#session.outbox.compact = pending.offersCompact && offersCompact(message.parameters);
      this.#port.open();
    }
    pending.resolve(message);
  }

  #decide(request: ConnectRequest, onConnect: NonNullable<HandshakePort['onConnect']>): void {
    const { message } = request;
    let verdict: void | Promise<void>;
    try {
      verdict = onConnect(request);
    } catch (error) {
      this.#turnAway(message.streamId, error);
      return;
    }
    if (verdict instanceof Promise) this.#decideLater(message, verdict);
    else this.#letIn(message);
  }

  /** What the peer sends behind its CONNECT waits until it is let in. */
  #decideLater(message: Message, verdict: Promise<void>): void {
    this.#session.pauseReading();
    const onFault = (error: unknown): void => this.#session.destroy(asIotmpError(error));
    verdict.then(
      guarded('login accepted', onFault, () => {
        this.#letIn(message);
        if (this.#session.state === 'open') this.#session.resumeReading();
      }),
      guarded('login refused', onFault, (error: unknown) => this.#turnAway(message.streamId, error)),
    );
  }

  /** Devices get the bare OK that they know: the answer says more only to those who said it first. */
  #letIn({ streamId, parameters }: Message): void {
    if (this.#session.state !== 'connecting') return;
    this.#timer?.cancel();
    const { outbox } = this.#session;
    outbox.compact = offersCompact(parameters);
    this.#port.open();
    outbox.sendOrEnd({
      type: MessageType.OK,
      streamId,
      parameters: outbox.compact ? compactOffer : undefined,
    });
    if (this.#port.session.state === 'open') this.#port.handleLetIn();
  }

  #turnAway(streamId: number | undefined, error: unknown, statusCode?: number): void {
    if (this.#session.state !== 'connecting') return;
    this.#session.outbox.sendOrEnd(errorAnswer(streamId, error, statusCode));
    this.#port.end(asIotmpError(error));
  }

  #unexpected(): string {
    return this.#port.onConnect === undefined
      ? 'the server spoke before it was asked'
      : 'the first message was not CONNECT';
  }
}
