import { IotmpError, errorText } from '../../errors';
import type { Value } from '../../types';
import { HubStates, type HubState } from './hub-state';
import { SamplePacing } from './sample-pacing';

/** Who wants the samples of a device's resource. */
export interface HubSubscriber {
  /** Time between two samples in ms, up to a day; 0 for the device's own events. Read once. */
  readonly intervalMs: number;
  /**
   * Nobody asks at the moment, as when something saved is taken up again: only an output is opened for it
   * (`protocol.md` section 5). Read once.
   */
  readonly unasked?: boolean;
  /** A sample. All subscribers of a resource get the same object: nobody may change it. */
  onSample(sample: Value | undefined): void;
  /** The stream is in another state now. What it was at first is in {@link HubSubscription.state}. */
  onState?(state: HubState): void;
}

/** A place among the subscribers of a device's resource. It outlives the device's connections. */
export interface HubSubscription {
  /** How the device stream is; `offline` after {@link close}. */
  readonly state: HubState;
  /**
   * Writes into the resource: through its event stream where that is open, else through the periodic one.
   * @throws IotmpError IOTMP_ERR_OFFLINE when no stream of the resource is open, IOTMP_ERR_CLOSED after
   *   {@link close}, IOTMP_ERR_ENCODE and IOTMP_ERR_TOO_LARGE when the payload cannot be sent
   */
  write(payload: unknown): void;
  /**
   * A person asks, again: opens a held or failed stream, and restarts a stalled one. For an offline device it
   * is permission for when the device is back.
   */
  ask(): void;
  /** Ends the subscription; nothing is called after it. The last one to go stops the stream. Idempotent. */
  close(): void;
}

/** What a subscription needs of its device stream. */
export interface SubscriptionOwner {
  readonly state: HubState;
  write(payload: unknown): void;
  ask(subscription: Subscription): void;
  leave(subscription: Subscription): void;
  warn(text: string): void;
}

/** A subscriber, and what the hub keeps of it. */
export class Subscription implements HubSubscription {
  /** As asked for, in whole ms. */
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

  /** A sample of the device stream came; it is passed on when it is due. */
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

  /** The stream is in another state. */
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

  /** The same failure on every sample is one warning. */
  #complain(where: string, error: unknown): void {
    const complaint = `${where} of a subscriber failed: ${errorText(error)}`;
    if (complaint === this.#complaint) return;
    this.#complaint = complaint;
    this.#owner.warn(complaint);
  }
}
