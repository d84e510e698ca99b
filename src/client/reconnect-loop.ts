import { IotmpError, errorText } from '../errors';
import type { Session } from '../session/session';
import type { Backoff } from '../util/backoff';
import type { Clock, Timer } from '../util/clock';
import type { ClientState } from './client-events';
import type { AttemptResult, OpenedSession } from './connect-attempt';
import { LooseEnds } from './loose-ends';
import { guarded, warnProcess } from '../util/guard';

/** What the loop needs of its client. */
export interface ReconnectLoopPort {
  readonly clock: Clock;
  readonly backoff: Backoff;
  /** Gets the end of each attempt, which is the end of the last of its connections. */
  readonly looseEnds: LooseEnds;
  /** Time until another attempt after a refusal, in ms; without it a refusal is final. */
  readonly retryRefusedMs: number | undefined;
  /** Makes one attempt to connect. A rejection is a failure that may pass. */
  open(signal: AbortSignal, connections: LooseEnds): Promise<AttemptResult>;
  /** The state has changed. */
  onState(state: ClientState, error?: IotmpError): void;
}

/**
 * Keeps one session open: connects, waits and connects again when an attempt fails or the session ends for whatever
 * reason, and stops for good only when it is told to or when the server refuses this device and that is to be final.
 * There is one attempt or one session at a time, never both.
 */
export class ReconnectLoop {
  readonly #port: ReconnectLoopPort;
  #state: ClientState = 'idle';
  #error: IotmpError | undefined;
  #session: Session | undefined;
  #attempt: AbortController | undefined;
  #retry: Timer | undefined;
  #openedAt = 0;

  constructor(port: ReconnectLoopPort) {
    this.#port = port;
  }

  get state(): ClientState {
    return this.#state;
  }

  /** What went wrong last; `undefined` while a session is open. */
  get error(): IotmpError | undefined {
    return this.#error;
  }

  /** The open session. */
  get session(): Session | undefined {
    return this.#session;
  }

  /** Begins, or tries again after a refusal. Does nothing while the loop runs. */
  start(): void {
    if (this.#state !== 'idle' && this.#state !== 'refused') return;
    this.#retry?.cancel();
    this.#try();
  }

  /** Ends the session or the attempt and begins anew at once. Does nothing before the start and after the end. */
  restart(reason: IotmpError): void {
    if (this.#state === 'idle' || this.#state === 'closed') return;
    this.#port.backoff.reset();
    this.#drop(reason);
    // Code of the user that hears of the end may have closed the client.
    if (this.state !== 'closed') this.#try();
  }

  /** Ends the session or the attempt in good order; {@link start} begins anew. Does nothing after the end. */
  rest(reason: IotmpError): void {
    if (this.#state === 'idle' || this.#state === 'closed') return;
    this.#port.backoff.reset();
    this.#drop(reason);
    if (this.state !== 'closed') this.#enter('idle');
  }

  /** Ends everything in good order, for good. */
  stop(reason: IotmpError): void {
    if (this.#state === 'closed') return;
    this.#drop(reason);
    this.#error = reason;
    this.#enter('closed');
  }

  #try(): void {
    const attempt = new AbortController();
    this.#attempt = attempt;
    this.#enter('connecting');
    if (this.#attempt !== attempt) return;
    const connections = new LooseEnds();
    const outcome = this.#port.open(attempt.signal, connections).then(
      (result) => this.#handleResult(attempt, result),
      (error: unknown) => {
        if (this.#attempt === attempt) this.#wait(iotmpError(error));
      },
    );
    this.#port.looseEnds.add(outcome.then(() => connections.settled()));
  }

  #handleResult(attempt: AbortController, result: AttemptResult): void {
    if (this.#attempt === attempt) {
      if (result.kind === 'refused') this.#refuse(result.error);
      else if (result.ended.aborted) this.#wait(iotmpError(result.ended.reason));
      else this.#use(result);
    } else if (result.kind === 'open') {
      result.session.close();
    }
  }

  #use({ session, ended }: OpenedSession): void {
    this.#attempt = undefined;
    this.#session = session;
    this.#openedAt = this.#port.clock.now();
    const onEnd = guarded('client session end', warnProcess, () =>
      this.#handleEnd(session, iotmpError(ended.reason)),
    );
    ended.addEventListener('abort', onEnd, { once: true });
    this.#error = undefined;
    this.#enter('open');
  }

  #handleEnd(session: Session, reason: IotmpError): void {
    if (this.#session !== session) return;
    this.#session = undefined;
    this.#port.backoff.noteUptime(this.#port.clock.now() - this.#openedAt);
    this.#wait(reason);
  }

  #wait(error: IotmpError): void {
    this.#attempt = undefined;
    this.#retry = this.#port.clock.after(this.#port.backoff.next(), () => this.#try());
    this.#enter('waiting', error);
  }

  #refuse(error: IotmpError): void {
    const { clock, retryRefusedMs } = this.#port;
    this.#attempt = undefined;
    if (retryRefusedMs !== undefined) this.#retry = clock.after(retryRefusedMs, () => this.#try());
    this.#enter('refused', error);
  }

  /** What belongs to the state that is left: nothing of it is heard of again. */
  #drop(reason: IotmpError): void {
    const session = this.#session;
    const attempt = this.#attempt;
    this.#session = undefined;
    this.#attempt = undefined;
    this.#retry?.cancel();
    attempt?.abort(reason);
    session?.close(reason);
  }

  /** The client's reaction may lead back into the loop: the caller does nothing more, or looks again. */
  #enter(state: ClientState, error?: IotmpError): void {
    this.#state = state;
    this.#error = error ?? this.#error;
    this.#port.onState(state, error);
  }
}

function iotmpError(error: unknown): IotmpError {
  if (error instanceof IotmpError) return error;
  return new IotmpError('IOTMP_ERR_CONNECT', errorText(error), { cause: error });
}
