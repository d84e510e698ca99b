import type { ServerEvent } from '../../broker/event-feed';
import { Sample } from '../../session/samples/sample';
import type { EventSubscription } from './event-subscription';

/** Subscriptions to events, by user and name, so that an event costs only those who may want it. */
export class EventIndex {
  readonly #groups = new Map<string, Set<EventSubscription>>();

  add(subscription: EventSubscription): void {
    const key = groupKey(subscription.caller.user, subscription.event);
    const group = this.#groups.get(key) ?? new Set();
    this.#groups.set(key, group.add(subscription));
  }

  /** Takes one out that may not be in. */
  delete(subscription: EventSubscription): void {
    const key = groupKey(subscription.caller.user, subscription.event);
    const group = this.#groups.get(key);
    if (group?.delete(subscription) === true && group.size === 0) this.#groups.delete(key);
  }

  /** Tells an event to those of its user that asked for it. */
  tell(event: ServerEvent): void {
    const group = this.#groups.get(groupKey(event.user, event.event));
    if (group === undefined) return;
    const sample = new Sample(event);
    for (const subscription of group) {
      if (subscription.filter.matches(event)) subscription.deliver(sample);
    }
  }
}

/** Names of events hold no blank. */
function groupKey(user: string, event: string): string {
  return `${event} ${user}`;
}
