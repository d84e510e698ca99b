import { IotmpError } from '../errors';
import type { TransportHandler } from './transport';
import { guarded, type FaultOwner, type Guarded } from '../util/guard';

/** What a {@link Delivery} can stop and start: the socket below. */
export interface DataSource {
  pause(): void;
  resume(): void;
}

/**
 * Bytes after which a connection lets the others have their turn. Node.js reads up to 32 times in a row from one that
 * floods, and all others wait meanwhile.
 */
const BYTES_AT_ONCE = 65_536;

/**
 * Keeps the promises of the contract to a {@link TransportHandler}: nothing before `start`, no data while paused,
 * `onClose` exactly once and nothing after it. The source starts paused. Some sources cannot stop in the middle of
 * what they have read: what they bring while paused is held, at most one read of theirs.
 */
export class Delivery {
  readonly #source: DataSource;
  readonly #owner: FaultOwner;
  #handler: TransportHandler | undefined;
  #held: Buffer[] = [];
  #paused = false;
  #muted = false;
  /** Bytes since the last rest. */
  #taken = 0;
  #rest: NodeJS.Immediate | undefined;
  /** How the connection ended, until the handler has been told. */
  #end: { readonly error: Error | undefined } | undefined;
  #told = false;

  /** @param owner ends a connection whose handler has thrown outside of a call of the source */
  constructor(source: DataSource, owner: FaultOwner) {
    this.#source = source;
    this.#owner = owner;
  }

  /** Names the handler. Throws IOTMP_ERR_CONFLICT when called again. */
  start(handler: TransportHandler): void {
    if (this.#handler !== undefined) {
      throw new IotmpError('IOTMP_ERR_CONFLICT', 'the transport has been started before');
    }
    this.#handler = handler;
    this.#flow();
  }

  pause(): void {
    if (this.#muted || this.#paused) return;
    this.#paused = true;
    this.#source.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#flow();
  }

  /** Data came from the source. */
  data(chunk: Buffer): void {
    if (this.#muted || chunk.length === 0) return;
    if (this.#handler === undefined || this.#paused || this.#held.length > 0) this.#held.push(chunk);
    else this.#hand(this.#handler, chunk);
  }

  /** Everything that was buffered has been taken. */
  drain(): void {
    if (!this.#muted) this.#handler?.onDrain();
  }

  /** This side ends the connection: from now on only the end is told. What still comes is read and dropped. */
  mute(): void {
    this.#muted = true;
    this.#paused = false;
    this.#held = [];
    this.#flow();
  }

  /** The connection has ended. An end without an error waits until what is held has been delivered. */
  end(error: Error | undefined): void {
    if (this.#end !== undefined) return;
    this.#end = { error };
    clearImmediate(this.#rest);
    if (error !== undefined) this.#held = [];
    if (this.#held.length === 0) this.#tellEnd();
  }

  #hand(handler: TransportHandler, chunk: Buffer): void {
    handler.onData(chunk);
    this.#taken += chunk.length;
    if (this.#taken < BYTES_AT_ONCE || this.#paused || this.#muted) return;
    this.#taken = 0;
    this.#source.pause();
    this.#rest ??= setImmediate(
      guarded(
        'rest of a flooding connection',
        (error) => this.#owner.handleFault(error),
        () => this.#endRest(),
      ),
    );
  }

  #flow(): void {
    if (this.#handler === undefined && !this.#muted) return;
    if (this.#paused) return;
    if (this.#held.length === 0 && this.#end === undefined) this.#source.resume();
    // Never from inside a call of the handler's own.
    else process.nextTick(this.#onRelease());
  }

  /** Made only while it is needed: most connections hold nothing. */
  #onRelease(): Guarded<[]> {
    return guarded(
      'data that was held',
      (error) => this.#owner.handleFault(error),
      () => this.#release(),
    );
  }

  #endRest(): void {
    this.#rest = undefined;
    if (!this.#paused && this.#end === undefined) this.#source.resume();
  }

  #release(): void {
    while (!this.#paused) {
      const chunk = this.#held.shift();
      if (chunk === undefined) break;
      this.#handler?.onData(chunk);
    }
    if (this.#paused) return;
    if (this.#end !== undefined) this.#tellEnd();
    else this.#source.resume();
  }

  #tellEnd(): void {
    if (this.#told || this.#handler === undefined || this.#end === undefined) return;
    this.#told = true;
    this.#muted = true;
    this.#handler.onClose(this.#end.error);
  }
}
