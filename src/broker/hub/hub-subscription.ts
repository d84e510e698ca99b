import { IotmpError, errorText } from '../../errors';
import type { Value } from '../../types';
import { HubStates, type HubState } from './hub-state';
import { SamplePacing } from './sample-pacing';

/** A receiver of the samples of a device's resource. */
export interface HubSubscriber {
  /** Time between two samples in ms, up to a day; 0 for the device's own events. Read once. */
  readonly intervalMs: number;
  /**
   * Whether nobody asks for the samples at this moment, for example when a saved bucket is loaded. Then the stream is
   * opened only if the resource is an output (`protocol.md` section 5). Read once.
   */
  readonly unasked?: boolean;
  /** Called with each sample. All subscribers of a resource get the same object and must not change it. */
  onSample(sample: Value | undefined): void;
  /** Called when the state of the stream changes. {@link HubSubscription.state} has the first state. */
  onState?(state: HubState): void;
}

/** A subscription to a device's resource. It outlives the device's connections. */
export interface HubSubscription {
  /** The state of the device stream; `offline` after {@link close}. */
  readonly state: HubState;
  /**
   * Writes into the resource: through its event stream where that is open, else through the periodic one.
   * @throws IotmpError IOTMP_ERR_OFFLINE when no stream of the resource is open, IOTMP_ERR_CLOSED after
   *   {@link close}, IOTMP_ERR_ENCODE and IOTMP_ERR_TOO_LARGE when the payload cannot be sent
   */
  write(payload: unknown): void;
  /**
   * Asks again on behalf of a person: opens a held or failed stream, and restarts a stalled one. If the device is
   * offline, the stream is opened when the device is back.
   */
  ask(): void;
  /** Ends the subscription: no callback follows. The last subscription of a stream stops it. Idempotent. */
  close(): void;
}

/** The part of a device stream that its subscriptions use. */
export interface SubscriptionOwner {
  readonly state: HubState;
  write(payload: unknown): void;
  ask(subscription: Subscription): void;
  leave(subscription: Subscription): void;
  warn(text: string): void;
}

/** A subscriber with its pacing and its last warning. */
export class Subscription implements HubSubscription {
  /** The interval that the subscriber asked for, in whole ms. */
  readonly intervalMs: number;
  readonly #owner: SubscriptionOwner;
  readonly #subscriber: HubSubscriber;
  readonly #pacing: SamplePacing;
  #closed = false;
  #complaint: string | undefined;

  constructor(owner: SubscriptionOwner, subscriber: HubSubscriber, intervalMs: number) {
    this.intervalMs = intervalMs;
    this.#owner = owner;
    this.#subscriber = subscriber;
    this.#pacing = new SamplePacing(intervalMs);
  }

  get state(): HubState {
    return this.#closed ? HubStates.offline : this.#owner.state;
  }

  write(payload: unknown): void {
    if (this.#closed) throw new IotmpError('IOTMP_ERR_CLOSED', 'the subscription has ended');
    this.#owner.write(payload);
  }

  ask(): void {
    if (!this.#closed) this.#owner.ask(this);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#owner.leave(this);
  }

  /** Passes a sample of the device stream on if it is due for this subscriber. */
  deliver(sample: Value | undefined, now: number, deviceIntervalMs: number): void {
    if (!this.#closed && this.#pacing.admits(now, deviceIntervalMs)) this.#pass(sample);
  }

  /** Passes the last sample to a subscriber that came after it, unless a newer one was passed since. */
  deliverLate(sample: Value | undefined, takenAt: number): void {
    if (this.#closed || !this.#pacing.untouched) return;
    this.#pacing.anchor(takenAt);
    this.#pass(sample);
  }

  /** A new stream begins: its first sample is for everyone. */
  begin(): void {
    this.#pacing.reset();
  }

  /** Tells the subscriber the new state of the stream. */
  notify(state: HubState): void {
    if (this.#closed) return;
    try {
      this.#subscriber.onState?.(state);
    } catch (error) {
      this.#complain('onState', error);
    }
  }

  #pass(sample: Value | undefined): void {
    try {
      this.#subscriber.onSample(sample);
    } catch (error) {
      this.#complain('onSample', error);
    }
  }

  /** Warns of a failure, once while the same failure repeats. */
  #complain(where: string, error: unknown): void {
    const complaint = `${where} of a subscriber failed: ${errorText(error)}`;
    if (complaint === this.#complaint) return;
    this.#complaint = complaint;
    this.#owner.warn(complaint);
  }
}
