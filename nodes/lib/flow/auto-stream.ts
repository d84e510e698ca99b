import { detached, FunctionCode, IotmpError, warnProcess } from '../../../src';
import type { Link, LinkStream, LinkStreamListener, Target } from './link';

/** Time between samples of an output, in ms. */
const OUTPUT_INTERVAL_MS = 1000;

/**
 * A stream whose interval follows from the kind of its resource: an output is sampled each second, and anything else sends
 * its own events. So does a resource of an unknown kind: an input must not be run each second.
 */
export class AutoStream implements LinkStream {
  readonly #link: Link;
  readonly #target: Target;
  readonly #listener: LinkStreamListener;
  readonly #unwatch: () => void;
  #stream: LinkStream | undefined;
  /** Interval of the stream, in ms; 0 before it is open. */
  #intervalMs = 0;
  /** Counts the looks at the device: an answer to an older one is ignored. */
  #look = 0;

  constructor(link: Link, target: Target, listener: LinkStreamListener) {
    this.#link = link;
    this.#target = target;
    this.#listener = listener;
    this.#unwatch = link.watchDevice(target, () => this.#begin());
    this.#listener.onState({ kind: 'offline' });
    this.#begin();
  }

  get intervalMs(): number {
    return this.#intervalMs;
  }

  write(payload: unknown): void {
    if (this.#stream === undefined) throw new IotmpError('IOTMP_ERR_OFFLINE', 'the stream is not open');
    this.#stream.write(payload);
  }

  close(): void {
    this.#look++;
    this.#unwatch();
    this.#stream?.close();
  }

  /** Each connection of the device may bring another kind: its firmware may be another. */
  #begin(): void {
    if (this.#link.deviceState(this.#target).kind !== 'up') return;
    if (this.#stream === undefined) this.#listener.onState({ kind: 'waiting' });
    detached('stream of unknown kind', warnProcess, this.#open(++this.#look));
  }

  async #open(look: number): Promise<void> {
    const fn = await this.#link.kindOf(this.#target);
    if (look !== this.#look) return;
    const intervalMs = fn === FunctionCode.output ? OUTPUT_INTERVAL_MS : 0;
    const before = this.#stream;
    if (before !== undefined && this.#intervalMs === intervalMs) return;
    before?.close();
    this.#intervalMs = intervalMs;
    // A person has asked for the first stream alone.
    const options = { intervalMs, unasked: before !== undefined };
    this.#stream = this.#link.stream(this.#target, options, this.#listener);
  }
}
