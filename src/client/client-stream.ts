import { errorText, IotmpError, RemoteError } from '../errors';
import type { Session } from '../session/session';
import type { Value } from '../types';
import type { Backoff } from '../util/backoff';
import type { Clock, Timer } from '../util/clock';
import { detached, guarded } from '../util/guard';
import type { SessionStream } from '../session/streams/session-stream';
import type { CallOptions } from '../session/requests/reply';

/**
 * What a stream is at:
 * - `waiting`: for the client to be open;
 * - `starting`: START_STREAM was sent;
 * - `streaming`;
 * - `failed`: refused, or ended by the server. What is not a refusal is tried again, a refusal after a reconnect.
 */
export type ClientStreamState = 'waiting' | 'starting' | 'streaming' | 'failed';

/** What the owner of a stream hears. */
export interface ClientStreamListener {
  /** A sample. The first may be the payload of the answer to START_STREAM, and may come before `streaming`. */
  onSample(payload: Value | undefined): void;
  /** The state has changed after `stream()` returned; never called after {@link ClientStream.close}. */
  onState?(state: ClientStreamState, error?: IotmpError): void;
}

/** What a stream needs of its client. */
export interface ClientStreamPort {
  readonly clock: Clock;
  /** Its own one. */
  readonly backoff: Backoff;
  forget(stream: ClientStream): void;
  warn(text: string): void;
}

/** What a stream is made of. */
export interface ClientStreamInit {
  readonly resource: unknown;
  readonly fields: CallOptions;
  readonly listener: ClientStreamListener;
}

/** Failures that another START_STREAM with the same fields would meet again. */
const LASTING: readonly string[] = ['IOTMP_ERR_ENCODE', 'IOTMP_ERR_TOO_LARGE'];

/**
 * A stream on a resource of the server that outlives connections: it is opened whenever the client becomes open
 * (`protocol.md` section 6).
 */
export class ClientStream {
  readonly resource: unknown;
  readonly #fields: CallOptions;
  readonly #listener: ClientStreamListener;
  readonly #port: ClientStreamPort;
  #state: ClientStreamState = 'waiting';
  #closed = false;
  #announces = false;
  /** The start that counts; whatever an older one brings is let go. */
  #start: AbortController | undefined;
  #stream: SessionStream | undefined;
  #startedAt = 0;
  #retry: Timer | undefined;
  readonly #onFault = (error: unknown): void => this.#port.warn(`a stream: ${errorText(error)}`);

  /** @internal made by a client */
  constructor(port: ClientStreamPort, { resource, fields, listener }: ClientStreamInit) {
    this.resource = resource;
    this.#fields = fields;
    this.#listener = listener;
    this.#port = port;
  }

  get state(): ClientStreamState {
    return this.#state;
  }

  /** Whether the stream, or its client, was closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Writes into the stream: the resource runs with it. Returns false when it waits for a slow server.
   * @throws IotmpError IOTMP_ERR_OFFLINE unless the state is `streaming`; IOTMP_ERR_CLOSED, IOTMP_ERR_ENCODE,
   *   IOTMP_ERR_TOO_LARGE
   */
  write(payload: unknown): boolean {
    if (this.#closed) throw new IotmpError('IOTMP_ERR_CLOSED', 'the stream was closed');
    if (this.#stream === undefined) {
      throw new IotmpError('IOTMP_ERR_OFFLINE', `the stream is not open: ${this.#state}`);
    }
    return this.#stream.write(payload);
  }

  /** Ends the stream for good; resolves when the server has answered, or will not. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#port.forget(this);
    const stream = this.#stream;
    this.#drop();
    await stream?.stop();
  }

  /** @internal from now on changes of the state are told */
  announce(): void {
    this.#announces = true;
  }

  /** @internal the client is open */
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

  /** @internal the client is not open any more */
  suspend(): void {
    this.#drop();
    if (this.#state !== 'waiting') this.#enter('waiting');
  }

  /** @internal the client was closed */
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
