import { errorText, IotmpError, RemoteError } from '../errors';
import type { Session } from '../session/session';
import type { Value } from '../types';
import type { Backoff } from '../util/backoff';
import type { Clock, Timer } from '../util/clock';
import { detached, guarded } from '../util/guard';
import type { SessionStream } from '../session/streams/session-stream';
import type { CallOptions } from '../session/requests/reply';
import type { ClientStream, ClientStreamListener, ClientStreamState } from './client-stream';

/** What a stream needs of its client. */
export interface ReconnectingStreamPort {
  readonly clock: Clock;
  /** Its own one. */
  readonly backoff: Backoff;
  forget(stream: ReconnectingStream): void;
  warn(text: string): void;
}

/** What a stream is made of. */
export interface ReconnectingStreamInit {
  readonly resource: unknown;
  readonly fields: CallOptions;
  readonly listener: ClientStreamListener;
}

/** Failures that another START_STREAM with the same fields would meet again. */
const LASTING: readonly string[] = ['IOTMP_ERR_ENCODE', 'IOTMP_ERR_TOO_LARGE'];

/**
 * A stream as its client sees it, which opens it on each of its sessions, one after the other (`protocol.md`
 * section 6).
 */
export class ReconnectingStream implements ClientStream {
  readonly resource: unknown;
  readonly #fields: CallOptions;
  readonly #listener: ClientStreamListener;
  readonly #port: ReconnectingStreamPort;
  #state: ClientStreamState = 'waiting';
  #closed = false;
  #announces = false;
  /** The start that counts; whatever an older one brings is let go. */
  #start: AbortController | undefined;
  #stream: SessionStream | undefined;
  #startedAt = 0;
  #retry: Timer | undefined;
  readonly #onFault = (error: unknown): void => this.#port.warn(`a stream: ${errorText(error)}`);

  constructor(port: ReconnectingStreamPort, { resource, fields, listener }: ReconnectingStreamInit) {
    this.resource = resource;
    this.#fields = fields;
    this.#listener = listener;
    this.#port = port;
  }

  get state(): ClientStreamState {
    return this.#state;
  }

  get closed(): boolean {
    return this.#closed;
  }

  write(payload: unknown): boolean {
    if (this.#closed) throw new IotmpError('IOTMP_ERR_CLOSED', 'the stream was closed');
    if (this.#stream === undefined) {
      throw new IotmpError('IOTMP_ERR_OFFLINE', `the stream is not open: ${this.#state}`);
    }
    return this.#stream.write(payload);
  }

  pause(): void {
    this.#stream?.pause();
  }

  resume(): void {
    this.#stream?.resume();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#port.forget(this);
    const stream = this.#stream;
    this.#drop();
    await stream?.stop();
  }

  /** From now on the listener is told the changes of the state. */
  announce(): void {
    this.#announces = true;
  }

  /** The client is open. */
  begin(session: Session): void {
    const start = new AbortController();
    this.#start = start;
    this.#enter('starting');
    // The listener may have closed the stream, or the client.
    if (this.#start !== start) return;
    let sampled = false;
    const listener = {
      onData: (payload: Value | undefined): void => {
        sampled = true;
        if (this.#start === start) this.#listener.onSample(payload);
      },
      onClose: (reason?: IotmpError): void => {
        // Before the stream is there, the promise below tells of its end.
        if (this.#start === start && this.#stream !== undefined) this.#handleEnd(session, reason);
      },
      onDrain: (): void => this.#listener.onDrain?.(),
    };
    session.openStream(this.resource, listener, { ...this.#fields, signal: start.signal }).then(
      guarded('client stream started', this.#onFault, (stream: SessionStream) => {
        if (this.#start !== start) this.#stop(stream);
        else if (stream.closed) this.#handleEnd(session, undefined);
        else this.#handleStarted(stream, sampled);
      }),
      guarded('client stream refused', this.#onFault, (error: unknown) => {
        if (this.#start === start) this.#handleEnd(session, error);
      }),
    );
  }

  /** The client is not open any more. */
  suspend(): void {
    this.#drop();
    if (this.#state !== 'waiting') this.#enter('waiting');
  }

  /** The client was closed. */
  end(reason: IotmpError): void {
    if (this.#closed) return;
    this.#port.forget(this);
    this.#drop();
    this.#enter('failed', reason);
    this.#closed = true;
  }

  /** Samples of the same read come before the answer's payload is seen, and are newer than it. */
  #handleStarted(stream: SessionStream, sampled: boolean): void {
    this.#stream = stream;
    this.#startedAt = this.#port.clock.now();
    this.#enter('streaming');
    const { initial } = stream;
    if (initial !== undefined && !sampled && this.#stream === stream) {
      this.#guard(() => this.#listener.onSample(initial));
    }
  }

  /** With the session the streams end, too: then the client suspends them. */
  #handleEnd(session: Session, error: unknown): void {
    if (session.state !== 'open') return;
    if (this.#stream !== undefined) this.#port.backoff.noteUptime(this.#port.clock.now() - this.#startedAt);
    this.#drop();
    const reason =
      error instanceof IotmpError
        ? error
        : new IotmpError('IOTMP_ERR_CLOSED', 'the server ended the stream', { cause: error });
    if (!(reason instanceof RemoteError) && !LASTING.includes(reason.code)) {
      this.#retry = this.#port.clock.after(this.#port.backoff.next(), () => this.begin(session));
    }
    this.#enter('failed', reason);
  }

  /** Opened after all, when nobody wanted it any more. */
  #stop(stream: SessionStream): void {
    detached('client stream stop', this.#onFault, stream.stop());
  }

  #drop(): void {
    const start = this.#start;
    this.#start = undefined;
    this.#stream = undefined;
    this.#retry?.cancel();
    start?.abort();
  }

  #enter(state: ClientStreamState, error?: IotmpError): void {
    this.#state = state;
    if (!this.#announces || this.#closed) return;
    this.#guard(() => this.#listener.onState?.(state, error));
  }

  /** Code of the user runs here: what it throws must not cost the connection. */
  #guard(tell: () => void): void {
    try {
      tell();
    } catch (error) {
      this.#port.warn(`the listener of a stream failed: ${errorText(error)}`);
    }
  }
}
