import { IotmpError } from '../../../../src/errors';
import type { SessionStream, StreamListener } from '../../../../src/session/streams/session-stream';
import type { Value } from '../../../../src/types';

/** The device behind a {@link FakeStream}. */
export interface FakeStreamDevice {
  write(payload: unknown): void;
  start(parameters: unknown): Promise<unknown>;
  stop(): Promise<void>;
}

/** A stream in the hand of a test, which ends and tells its end as that of a session does. */
export class FakeStream implements SessionStream {
  readonly dropped = 0;
  readonly kind = 'samples';
  initial: Value | undefined = undefined;
  readonly #device: FakeStreamDevice;
  readonly #listener: StreamListener;
  #state: 'opening' | 'open' | 'stopping' | 'closed' = 'opening';
  #reason: IotmpError | undefined;
  #stopped: Promise<void> | undefined;

  constructor(
    readonly id: number,
    readonly resource: string,
    device: FakeStreamDevice,
    listener: StreamListener,
  ) {
    this.#device = device;
    this.#listener = listener;
  }

  get closed(): boolean {
    return this.#state === 'stopping' || this.#state === 'closed';
  }

  write(payload: unknown): boolean {
    if (this.closed) throw closedError();
    this.#device.write(payload);
    this.#listener.onWrite?.(payload);
    return true;
  }

  pause(): void {
    // Samples go on.
  }

  resume(): void {
    // Samples go on.
  }

  async restart(parameters: unknown): Promise<void> {
    if (this.closed) throw closedError();
    await this.#device.start(parameters);
  }

  stop(): Promise<void> {
    if (this.#state === 'closed') return Promise.resolve();
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** The device has answered the START_STREAM. */
  handleOpened(initial: Value | undefined): void {
    if (this.#reason !== undefined) throw this.#reason;
    this.#state = 'open';
    this.initial = initial;
  }

  handleData(payload: Value | undefined, at: number): void {
    if (!this.closed) this.#listener.onData(payload, undefined, at);
  }

  /** The device or the connection ended the stream. */
  end(reason: IotmpError): void {
    const wasOpen = this.#state === 'open';
    this.#state = 'closed';
    this.#reason ??= reason;
    if (wasOpen) this.#listener.onClose?.(reason);
  }

  async #stop(): Promise<void> {
    this.#state = 'stopping';
    const stopped = this.#device.stop();
    this.#listener.onClose?.();
    await stopped;
    this.#state = 'closed';
  }
}

function closedError(): IotmpError {
  return new IotmpError('IOTMP_ERR_CLOSED', 'the stream has ended');
}
