import type { Timer } from '../util/clock';
import { Delivery } from './delivery';
import { MemoryWire } from './memory-wire';
import { transportSettings, type TransportOptions, type TransportSettings } from './transport-options';
import type { Transport, TransportHandler } from './transport';
import { guarded, warnProcess, type FaultOwner } from '../util/guard';
import { asError } from '../errors';

/** Options of {@link createMemoryPair}. */
export interface MemoryPairOptions extends TransportOptions {
  /**
   * When each chunk arrives: `microtask` (the default), after the code that runs now, or `immediate`, one in each
   * turn of the event loop.
   */
  readonly delivery?: 'microtask' | 'immediate' | undefined;
  /** Cuts the bytes into chunks of this size, whatever the sizes of the messages. Default: a message is a chunk. */
  readonly chunkBytes?: number | undefined;
  /**
   * Bytes that each direction takes before the receiver has them, as a system's buffers would; the rest waits with
   * the sender and counts as `bufferedBytes`. Default: no limit, so that `send` never returns false.
   */
  readonly windowBytes?: number | undefined;
  /** Address of the other end, as both ends see it. Default: `memory`. */
  readonly remoteAddress?: string | undefined;
}

/**
 * Makes two transports that are connected with each other in memory, for tests. They keep the contract in the same
 * way as a TCP connection: `close` at one end closes the other after what was sent has arrived; `destroy` loses what
 * the window has not taken; a paused end hears of neither until it is resumed.
 */
export function createMemoryPair(options: MemoryPairOptions = {}): [Transport, Transport] {
  const settings = transportSettings(options);
  const wireOptions = {
    delivery: options.delivery ?? 'microtask',
    chunkBytes: options.chunkBytes,
    windowBytes: options.windowBytes ?? Infinity,
  };
  const there = new MemoryWire(wireOptions);
  const back = new MemoryWire(wireOptions);
  const { remoteAddress = 'memory' } = options;
  const near = new MemoryTransport(there, back, settings, remoteAddress);
  const far = new MemoryTransport(back, there, settings, remoteAddress);
  connect(there, near, far);
  connect(back, far, near);
  return [near, far];
}

function connect(wire: MemoryWire, sender: MemoryTransport, receiver: MemoryTransport): void {
  wire.connect({
    onChunk: (chunk) => receiver.handleChunk(chunk),
    onTaken: () => sender.handleTaken(),
    onEnd() {
      receiver.handlePeerEnd();
      sender.handleSent();
    },
  });
}

class MemoryTransport implements Transport, FaultOwner {
  readonly kind = 'memory';
  readonly remoteAddress: string;
  readonly #out: MemoryWire;
  readonly #in: MemoryWire;
  readonly #settings: TransportSettings;
  readonly #delivery: Delivery;
  #open = true;
  #drainWanted = false;
  #sentAll = false;
  #receivedAll = false;
  #error: Error | undefined;
  #grace: Timer | undefined;

  constructor(out: MemoryWire, incoming: MemoryWire, settings: TransportSettings, remoteAddress: string) {
    this.remoteAddress = remoteAddress;
    this.#out = out;
    this.#in = incoming;
    this.#settings = settings;
    this.#delivery = new Delivery(incoming, this);
  }

  get bufferedBytes(): number {
    return this.#out.waitingBytes;
  }

  start(handler: TransportHandler): void {
    this.#delivery.start(handler);
  }

  send(message: Buffer): boolean {
    if (!this.#open || message.length === 0) return true;
    this.#out.write(message);
    if (this.bufferedBytes > this.#settings.highWaterMark) this.#drainWanted = true;
    return !this.#drainWanted;
  }

  pause(): void {
    this.#delivery.pause();
  }

  resume(): void {
    this.#delivery.resume();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#grace = this.#settings.clock.after(this.#settings.closeGraceMs, () => this.destroy());
    this.#out.end();
    this.#delivery.mute();
  }

  destroy(error?: Error): void {
    this.#open = false;
    this.#error ??= error;
    this.#out.cut();
    this.#in.break();
    this.#delivery.mute();
    queueMicrotask(guarded('memory close', warnProcess, () => this.#handleClose()));
  }

  handleFault(error: unknown): void {
    this.destroy(asError(error));
  }

  handleChunk(chunk: Buffer): void {
    this.#delivery.data(chunk);
  }

  handleTaken(): void {
    if (!this.#drainWanted || this.bufferedBytes > 0) return;
    this.#drainWanted = false;
    this.#delivery.drain();
  }

  handlePeerEnd(): void {
    this.#receivedAll = true;
    this.close();
    if (this.#sentAll) this.#handleClose();
  }

  handleSent(): void {
    this.#sentAll = true;
    if (this.#receivedAll) this.#handleClose();
  }

  #handleClose(): void {
    this.#grace?.cancel();
    this.#delivery.end(this.#error);
  }
}
