import { types } from 'node:util';
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { ConnectedDevice } from '../../../broker/connected-device';
import type { Value } from '../../../types';
import type { Clock, Timer } from '../../../util/clock';
import { IdleTimer } from './idle-timer';
import { asError } from '../../../errors';
import { detached, guarded, warnProcess } from '../../../util/guard';
import type { SessionStream } from '../../../session/streams/session-stream';

/** What is downloaded, and what it may use and must heed. */
export interface DownloadOptions {
  readonly device: ConnectedDevice;
  readonly path: string;
  /** In bytes: the device does not say where the file ends. */
  readonly size: number;
  readonly clock: Clock;
  /** Ends the download. */
  readonly signal: AbortSignal;
}

/** Bytes that a device sends before it wants to hear that some of them have been taken. */
const WINDOW_BYTES = 512 * 1024;
/** Time in which something has to come, or be taken, in ms. */
const IDLE_MS = 30_000;
/** A device gives up when it hears nothing for twice this time, in ms. */
const LIFE_SIGN_MS = 5_000;

/**
 * A file that a device streams (`devices-linux.md` section 7). What the program has taken is acknowledged, and a device
 * sends no more than its window before that, so a slow program slows the device, and nothing piles up here. While the
 * program takes nothing, a byte is acknowledged now and then, so that the device waits on.
 */
export class FileDownload {
  readonly #options: DownloadOptions;
  readonly #idle: IdleTimer;
  #lifeSign: Timer;
  #stream: SessionStream | undefined;
  #response: ServerResponse | undefined;
  #left: number;
  #acknowledged = 0;
  /** Bytes that came and were not acknowledged. */
  #unacknowledged = 0;
  /** Bytes that were acknowledged as signs of life, and not taken yet. */
  #ahead = 0;
  #ended = false;

  private constructor(options: DownloadOptions) {
    this.#options = options;
    this.#left = options.size;
    this.#idle = new IdleTimer(options.clock, IDLE_MS, () => this.#end());
    this.#lifeSign = this.#nextLifeSign();
  }

  /** @throws IotmpError (as a rejection) as the opening of a stream does, a RemoteError when the device refuses */
  static async open(options: DownloadOptions): Promise<FileDownload> {
    const download = new FileDownload(options);
    try {
      await download.#open();
      return download;
    } catch (error) {
      download.#end();
      throw error;
    }
  }

  /** Sends the file. What ends too early ends the connection of the program, so that it can tell. */
  serve(response: ServerResponse): void {
    response.writeHead(200, {
      'Content-Type': 'application/octet-stream',
      'Content-Length': this.#options.size,
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
    });
    this.#response = response;
    response.once('close', this.#end);
    response.on(
      'drain',
      guarded('download drain', this.#onFault, () => this.#stream?.resume()),
    );
    if (this.#ended) response.destroy();
    else this.#stream?.resume();
  }

  async #open(): Promise<void> {
    const { path, device, signal } = this.#options;
    const stream = await device.openStream(
      `$fs/download/${randomUUID()}`,
      { onData: (payload) => this.#take(payload), onClose: () => this.#end() },
      { parameters: { path, window_size: WINDOW_BYTES }, signal, isState: false, paused: true },
    );
    this.#stream = stream;
    signal.addEventListener('abort', this.#end);
    if (this.#ended || signal.aborted) this.#end();
  }

  #take(payload: Value | undefined): void {
    if (!types.isUint8Array(payload) || this.#ended) return;
    this.#idle.touch();
    this.#unacknowledged += payload.length;
    this.#pass(payload);
  }

  /** What goes beyond the size that was told is let go: the file has grown meanwhile. */
  #pass(chunk: Uint8Array): void {
    const response = this.#response;
    if (response === undefined || this.#ended || this.#left === 0) return;
    const wanted = chunk.subarray(0, this.#left);
    this.#left -= wanted.length;
    const onTaken = guarded('download taken', this.#onFault, () => this.#acknowledge(chunk.length));
    if (!response.write(wanted, onTaken)) this.#stream?.pause();
    if (this.#left === 0) response.end();
  }

  #acknowledge(bytes: number): void {
    this.#idle.touch();
    const ahead = Math.min(this.#ahead, bytes);
    this.#ahead -= ahead;
    this.#unacknowledged -= bytes - ahead;
    this.#lifeSign.cancel();
    this.#lifeSign = this.#nextLifeSign();
    this.#tell(bytes - ahead);
  }

  #tell(bytes: number): void {
    if (bytes > 0 && this.#stream?.closed === false) this.#stream.write({ ack: ++this.#acknowledged, bytes });
  }

  #nextLifeSign(): Timer {
    return this.#options.clock.after(LIFE_SIGN_MS, () => {
      this.#lifeSign = this.#nextLifeSign();
      if (this.#unacknowledged === 0) return;
      this.#unacknowledged--;
      this.#ahead++;
      this.#tell(1);
    });
  }

  /** Whether it is done or not: the device waits to be told to stop. */
  readonly #end = guarded('download end', warnProcess, () => {
    if (this.#ended) return;
    this.#ended = true;
    this.#idle.stop();
    this.#lifeSign.cancel();
    this.#options.signal.removeEventListener('abort', this.#end);
    if (this.#stream !== undefined) detached('download stop', warnProcess, this.#stream.stop());
    if (this.#left > 0) this.#response?.destroy();
  });

  readonly #onFault = (error: unknown): void => {
    this.#response?.destroy(asError(error));
    this.#end();
  };
}
