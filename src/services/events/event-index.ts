import type { ServerEvent } from '../../broker/event-feed';
import { Sample } from '../../session/samples/sample';
import type { EventSubscription } from './event-subscription';

/** Subscriptions to events, by user and name, so that an event is compared with few subscriptions. */
export class EventIndex {
  readonly #groups = new Map<string, Set<EventSubscription>>();

  add(subscription: EventSubscription): void {
    const key = groupKey(subscription.caller.user, subscription.event);
    const group = this.#groups.get(key) ?? new Set();
    this.#groups.set(key, group.add(subscription));
  }

  /** Removes a subscription if it is there. */
  delete(subscription: EventSubscription): void {
    const key = groupKey(subscription.caller.user, subscription.event);
    const group = this.#groups.get(key);
    if (group?.delete(subscription) === true && group.size === 0) this.#groups.delete(key);
  }

  /** Delivers an event to the subscriptions of its user and name. */
  tell(event: ServerEvent): void {
    const group = this.#groups.get(groupKey(event.user, event.event));
    if (group === undefined) return;
    const sample = new Sample(event);
    for (const subscription of group) {
      if (subscription.filter.matches(event)) subscription.deliver(sample);
    }
  }
}

/** The key of a group. Names of events have no blank. */
function groupKey(user: string, event: string): string {
  return `${event} ${user}`;
}
