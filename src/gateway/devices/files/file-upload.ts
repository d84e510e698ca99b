import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { IotmpError } from '../../../errors';
import { abortedError } from '../../../session/base/session-errors';
import type { ConnectedDevice } from '../../../broker/connected-device';
import { isMap, type Value } from '../../../types';
import type { Clock } from '../../../util/clock';
import { BodyPace } from '../../http/body-pace';
import { IdleTimer } from './idle-timer';
import { detached, guarded } from '../../../util/guard';
import type { SessionStream } from '../../../session/streams/session-stream';

/** What is uploaded, and what it may use and must heed. */
export interface UploadOptions {
  readonly device: ConnectedDevice;
  readonly path: string;
  /** In bytes; above 0. */
  readonly size: number;
  /** Its body is the file. */
  readonly request: IncomingMessage;
  readonly clock: Clock;
  /** Ends the upload, also when the program goes away. */
  readonly signal: AbortSignal;
}

/** What a device is sent at once, unless it asks for less. */
const CHUNK_BYTES = 65_536;
/** What a message holds beside its payload, in bytes, at most. */
const ENVELOPE_BYTES = 64;
/** A device acknowledges a hundredth of the file at a time, but a chunk at least, and this at most. */
const MAX_ACK_BYTES = 1024 * 1024;
/** Time in which something has to come, or be acknowledged, in ms. */
const IDLE_MS = 30_000;

/**
 * A file that is streamed to a device (`devices-linux.md` section 7). No more is read of the request than the device has
 * room for: what it has not acknowledged is bounded.
 */
export class FileUpload {
  readonly #options: UploadOptions;
  readonly #done = Promise.withResolvers<undefined>();
  readonly #idle: IdleTimer;
  readonly #pace: BodyPace;
  #stream: SessionStream | undefined;
  #chunkBytes = CHUNK_BYTES;
  #waiting: Buffer[] = [];
  #received = 0;
  #sent = 0;
  #acknowledged = 0;

  private constructor(options: UploadOptions) {
    this.#options = options;
    this.#idle = new IdleTimer(options.clock, IDLE_MS, () => this.#fail(tooSlow()));
    this.#pace = new BodyPace(options.clock, (error) => this.#fail(error));
    // Nothing is read before the device is ready.
    this.#pace.rest();
    // Whether it has failed is told by whoever waits for it, who may not be there yet.
    detached('upload done', ignore, this.#done.promise);
  }

  /**
   * Sends the file; resolves when the device has all of it.
   * @throws IotmpError (as a rejection) as the opening of a stream does, a RemoteError when the device refuses;
   *   IOTMP_ERR_CLOSED, IOTMP_ERR_TIMEOUT and IOTMP_ERR_ABORTED when it ends too early, and then the device deletes it
   */
  static async run(options: UploadOptions): Promise<void> {
    const upload = new FileUpload(options);
    const { request, signal } = options;
    const onFault = (error: unknown): void => upload.#fail(error);
    const giveUp = guarded('upload abort', onFault, () => upload.#fail(abortedError()));
    const onData = guarded('upload data', onFault, (chunk: Buffer) => upload.#take(chunk));
    signal.addEventListener('abort', giveUp);
    try {
      await upload.#open();
      request.on('data', onData);
      upload.#pace.goOn();
      await upload.#done.promise;
    } finally {
      request.off('data', onData);
      signal.removeEventListener('abort', giveUp);
      await upload.#end();
    }
  }

  async #open(): Promise<void> {
    const { path, device, signal, size } = this.#options;
    const stream = await device.openStream(
      `$fs/upload/${randomUUID()}`,
      {
        onData: (payload) => this.#acknowledge(payload),
        onClose: (reason) => this.#fail(reason ?? abortedError()),
      },
      { parameters: { path, size }, signal, isState: false },
    );
    this.#stream = stream;
    const wanted = isMap(stream.initial) ? Number(stream.initial.chunk_size) : 0;
    const most = Math.min(CHUNK_BYTES, device.maxBodySize - ENVELOPE_BYTES);
    this.#chunkBytes = wanted >= 1 ? Math.min(most, Math.floor(wanted)) : most;
  }

  /** Some chunks more than the device lets come before it acknowledges any. */
  get #windowBytes(): number {
    const ackBytes = Math.max(CHUNK_BYTES, Math.min(this.#options.size / 100, MAX_ACK_BYTES));
    return ackBytes + 4 * CHUNK_BYTES;
  }

  #take(chunk: Buffer): void {
    this.#idle.touch();
    this.#pace.took(chunk.length);
    this.#received += chunk.length;
    for (let at = 0; at < chunk.length; at += this.#chunkBytes) {
      this.#waiting.push(chunk.subarray(at, at + this.#chunkBytes));
    }
    this.#pump();
  }

  #acknowledge(payload: Value | undefined): void {
    this.#idle.touch();
    const bytes = isMap(payload) ? Number(payload.bytes) : NaN;
    this.#acknowledged = Math.min(this.#sent, this.#acknowledged + (bytes > 0 ? bytes : this.#chunkBytes));
    if (this.#acknowledged >= this.#options.size) this.#done.resolve(undefined);
    else this.#pump();
  }

  #pump(): void {
    const { request } = this.#options;
    try {
      while (this.#waiting.length > 0 && this.#sent - this.#acknowledged < this.#windowBytes) this.#send();
    } catch (error) {
      this.#fail(error);
    }
    if (this.#waiting.length > 0) {
      this.#pace.rest();
      request.pause();
    } else {
      request.resume();
      if (this.#received < this.#options.size) this.#pace.goOn();
      else this.#pace.rest();
    }
  }

  #send(): void {
    const chunk = this.#waiting.shift();
    if (chunk === undefined) return;
    this.#stream?.write(chunk);
    this.#sent += chunk.length;
  }

  #fail(reason: unknown): void {
    this.#done.reject(reason);
  }

  async #end(): Promise<void> {
    this.#idle.stop();
    this.#pace.end();
    this.#waiting = [];
    await this.#stream?.stop();
  }
}

function ignore(): void {
  // Whoever waits for the upload hears of it.
}

function tooSlow(): IotmpError {
  return new IotmpError('IOTMP_ERR_TIMEOUT', `nothing came, or was taken, for ${IDLE_MS / 1000} s`);
}
