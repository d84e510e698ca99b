import type { Value } from '../../types';
import type { HubState } from './hub-state';
import type { Subscription } from './hub-subscription';
import { IntervalCounts } from './stream-intervals';

/** The subscribers of one device stream, and its last sample. */
export class SubscriberGroup {
  readonly #members = new Set<Subscription>();
  readonly #intervals = new IntervalCounts();
  /** A copy of the members for a walk, so that joining and leaving do not disturb the walk. */
  #walk: readonly Subscription[] | undefined;
  #lastSample: Value | undefined;
  #lastSampleAt: number | undefined;

  get size(): number {
    return this.#members.size;
  }

  /** The interval that a device stream for all of them has, in ms. */
  get sharedInterval(): number {
    return this.#intervals.shared;
  }

  add(member: Subscription): void {
    this.#members.add(member);
    this.#intervals.add(member.intervalMs);
    this.#walk = undefined;
  }

  remove(member: Subscription): void {
    if (!this.#members.delete(member)) return;
    this.#intervals.remove(member.intervalMs);
    this.#walk = undefined;
  }

  /** A new stream begins. The last sample of the old stream is forgotten. */
  begin(): void {
    this.#lastSample = undefined;
    this.#lastSampleAt = undefined;
    for (const member of this.#members) member.begin();
  }

  /** Passes a sample to the members for which it is due. */
  deliver(sample: Value | undefined, now: number, deviceIntervalMs: number): void {
    this.#lastSample = sample;
    this.#lastSampleAt = now;
    for (const member of this.#snapshot()) member.deliver(sample, now, deviceIntervalMs);
  }

  /** Passes the last sample, if there is one, to a member that joined after it. */
  deliverLast(member: Subscription): void {
    if (this.#lastSampleAt !== undefined) member.deliverLate(this.#lastSample, this.#lastSampleAt);
  }

  /** Tells all members a state. Stops if a subscriber changes the state meanwhile. */
  notify(state: HubState, isCurrent: () => boolean): void {
    for (const member of this.#snapshot()) {
      if (!isCurrent()) return;
      member.notify(state);
    }
  }

  /** Ends all subscriptions. */
  closeAll(): void {
    for (const member of this.#snapshot()) member.close();
  }

  #snapshot(): readonly Subscription[] {
    this.#walk ??= [...this.#members];
    return this.#walk;
  }
}
