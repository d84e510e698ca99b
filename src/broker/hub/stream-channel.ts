import { IotmpError } from '../../errors';
import type { Value } from '../../types';
import type { Clock } from '../../util/clock';
import type { IntervalForm, IntervalMemory } from '../stream-source';
import type { ResourceLink } from './resource-link';
import { SampleThinning } from './sample-thinning';
import { SampleWatch } from './sample-watch';
import { SurgeWatch, type Surge } from './surge-watch';
import type { SessionStream, StreamListener } from '../../session/streams/session-stream';
import type { CallOptions } from '../../session/requests/reply';

/** The device stream that a channel belongs to, as the channel sees it. */
export interface StreamChannelOwner {
  readonly clock: Clock;
  /** The interval that the stream should have now, in ms; 0 for an event stream, which it stays. */
  readonly intervalMs: number;
  onSample(sample: Value | undefined, now: number, deviceIntervalMs: number): void;
  /** Samples stopped or came back, or the stream must be restarted. */
  onChange(): void;
  /** A sample came faster than was asked for, and gave way to a newer one. */
  onThinned(): void;
  /** The device ended the stream. */
  onEnd(channel: StreamChannel, reason: IotmpError): void;
  /** The device floods the stream, which has to be stopped. */
  onFlood(channel: StreamChannel, reason: IotmpError): void;
  warn(text: string): void;
}

/**
 * One opening of a stream on one connection of a device, from its START_STREAM to its end. The caller makes sure
 * that its operations do not overlap.
 */
export class StreamChannel {
  readonly #owner: StreamChannelOwner;
  /** What looks after the pace of the samples; an event stream has none. */
  readonly #watch: SampleWatch | undefined;
  readonly #thinning: SampleThinning | undefined;
  readonly #surges: SurgeWatch | undefined;
  #phase: 'opening' | 'open' | 'stopping' | 'ended' = 'opening';
  #outgoing: SessionStream | undefined;
  /** The interval of the last request, and the interval that the device accepted; 0 for events. */
  #requestedMs: number;
  #intervalMs: number;
  #form: IntervalForm = 'map';
  #memory: IntervalMemory | undefined;
  #restartRequested = false;
  #sampled = false;
  #toldThinned = false;
  #closeReason: IotmpError | undefined;
  #openedAt = 0;

  constructor(owner: StreamChannelOwner) {
    const { intervalMs } = owner;
    this.#owner = owner;
    this.#requestedMs = intervalMs;
    this.#intervalMs = intervalMs;
    if (intervalMs === 0) return;
    this.#watch = this.#newWatch();
    this.#thinning = this.#newThinning();
    this.#surges = new SurgeWatch();
    this.#beginPace();
  }

  get isOpening(): boolean {
    return this.#phase === 'opening';
  }

  /** Whether the device opened the stream, and its end was not handled yet. */
  get isOpen(): boolean {
    return this.#phase === 'open';
  }

  /** Whether the stream can be written to, restarted and stopped. */
  get isUsable(): boolean {
    return this.#phase === 'open' && this.#outgoing?.closed === false;
  }

  get stalled(): boolean {
    return this.#watch?.stalled === true;
  }

  /** The time at which the device opened the stream, on the owner's clock. */
  get openedAt(): number {
    return this.#openedAt;
  }

  /**
   * Opens the stream. If the channel is abandoned meanwhile, the stream is stopped as soon as it is open.
   * @throws IotmpError as a request does
   */
  async open(link: ResourceLink): Promise<void> {
    const listener: StreamListener = {
      onData: (sample, _parameters, at) => this.#handleSample(sample, at),
      onClose: (reason) => this.#handleClose(reason),
    };
    this.#memory = link.source.intervals;
    this.#form = this.#memory.intervalForm;
    const options: CallOptions = { parameters: this.#parameters() };
    const outgoing = await link.source.openStream(link.resource, listener, options);
    if (!this.isOpening) {
      await outgoing.stop();
      return;
    }
    if (outgoing.closed) {
      throw this.#closeReason ?? new IotmpError('IOTMP_ERR_CLOSED', 'the stream ended at once');
    }
    this.#outgoing = outgoing;
    this.#phase = 'open';
    this.#openedAt = this.#owner.clock.now();
    this.#watch?.start(this.#intervalMs);
    if (!this.#sampled && outgoing.initial !== undefined)
      this.#handleSample(outgoing.initial, this.#openedAt);
  }

  /** From now on the stream {@link mustRestart}, until it is restarted. */
  requestRestart(): void {
    this.#restartRequested = true;
  }

  /** Whether the stream must be started again: that was requested, or its owner needs another interval. */
  get mustRestart(): boolean {
    return this.isUsable && (this.#restartRequested || this.#requestedMs !== this.#owner.intervalMs);
  }

  /**
   * Starts the stream again under its id, with its owner's interval. If that fails, the stream goes on as before.
   * @throws IotmpError as a request does
   */
  async restart(): Promise<void> {
    const { intervalMs } = this.#owner;
    this.#restartRequested = false;
    this.#requestedMs = intervalMs;
    this.#watch?.prepare();
    this.#beginPace();
    try {
      await this.#outgoing?.restart(this.#parameters());
      this.#intervalMs = intervalMs;
    } finally {
      if (this.isUsable) this.#watch?.start(this.#intervalMs);
    }
  }

  /**
   * Writes into the stream.
   * @throws IotmpError IOTMP_ERR_OFFLINE when it is not open; else as {@link SessionStream.write}
   */
  write(payload: unknown): void {
    if (this.#outgoing?.closed !== false || this.#phase !== 'open') {
      throw new IotmpError('IOTMP_ERR_OFFLINE', 'the stream is not open');
    }
    this.#outgoing.write(payload);
  }

  /** Stops the stream. Resolves when the device has answered, or cannot answer any more. */
  async stop(): Promise<void> {
    this.#phase = 'stopping';
    this.#watch?.stop();
    this.#thinning?.end();
    try {
      await this.#outgoing?.stop();
    } finally {
      this.#phase = 'ended';
    }
  }

  /** The connection or the stream has ended: the channel calls its owner no more. Idempotent. */
  abandon(): void {
    this.#phase = 'ended';
    this.#watch?.stop();
    this.#thinning?.end();
  }

  #newWatch(): SampleWatch {
    return new SampleWatch(this.#owner.clock, {
      onDoubt: () => {
        this.#form = otherForm(this.#form);
        this.requestRestart();
        this.#owner.onChange();
      },
      onStall: (restartHelps) => {
        if (this.#watch?.proven === false) this.#form = this.#memory?.intervalForm ?? 'map';
        if (restartHelps) this.requestRestart();
        this.#owner.onChange();
      },
    });
  }

  #newThinning(): SampleThinning {
    return new SampleThinning(this.#owner.clock, {
      pass: (sample, now) => this.#owner.onSample(sample, now, this.#intervalMs),
      thinned: () => this.#handleThinned(),
    });
  }

  #beginPace(): void {
    this.#thinning?.begin(this.#requestedMs);
    this.#surges?.begin(this.#requestedMs, this.#owner.clock.now());
  }

  /** Firmware reads a map, or a bare number, or both (`protocol.md` section 6). */
  #parameters(): unknown {
    if (this.#requestedMs === 0) return undefined;
    return this.#form === 'map' ? { interval: this.#requestedMs } : this.#requestedMs;
  }

  #handleSample(sample: Value | undefined, now: number): void {
    if (this.#phase !== 'opening' && this.#phase !== 'open') return;
    this.#sampled = true;
    if (this.#watch?.heard(now) === true) this.#owner.onChange();
    if (this.#watch?.proven === true && this.#memory !== undefined) this.#memory.intervalForm = this.#form;
    if (this.#thinning === undefined) {
      this.#owner.onSample(sample, now, 0);
      return;
    }
    const surge = this.#surges?.heard(now);
    if (surge !== undefined) this.#handleSurge(surge);
    this.#thinning.take(sample, now);
  }

  #handleThinned(): void {
    this.#owner.onThinned();
    if (this.#toldThinned) return;
    this.#toldThinned = true;
    this.#owner.warn(`samples come faster than each ${this.#requestedMs} ms: only the newest are passed on`);
  }

  /** Firmware that took the interval for another one may be set right by another start. */
  #handleSurge({ perSecond, isAgain }: Surge): void {
    const text = `too many samples: ${perSecond}/s, not one in ${this.#requestedMs} ms`;
    if (isAgain) {
      this.#owner.onFlood(this, new IotmpError('IOTMP_ERR_RATE', text));
      return;
    }
    this.#owner.warn(`${text}. The stream is started again`);
    this.requestRestart();
    this.#owner.onChange();
  }

  /** {@link open} handles an end while it opens. An end by {@link stop} has no reason. */
  #handleClose(reason: IotmpError | undefined): void {
    this.#closeReason = reason;
    if (this.#phase === 'open' && reason !== undefined) this.#owner.onEnd(this, reason);
  }
}

function otherForm(form: IntervalForm): IntervalForm {
  return form === 'map' ? 'number' : 'map';
}
