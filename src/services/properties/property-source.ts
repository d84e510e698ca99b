import { isMap, type DeviceId, type Value } from '../../types';
import { serviceName } from '../service-name';
import type { PropertyListener } from './property-watchers';

/** A device's subscription to `device_property_update`, as service 8 hands it on. */
export interface PropertySubscription {
  readonly caller: DeviceId;
  /** All parameters of the subscription. */
  readonly parameters: Readonly<Record<string, Value>>;
  /** Called once when the subscription has ended. */
  onClose: (() => void) | undefined;
  /** Sends something to the device, after the OK. */
  deliver(payload: unknown): void;
  /** Serves it as events without a source of their own are. */
  follow(): void;
}

/** What is needed of the properties. */
export interface PropertySourcePort {
  watch(caller: DeviceId, name: string, listener: PropertyListener): () => void;
  /** Resolves when all changes that are under way now have been told; `undefined` when there are none. */
  pending(caller: DeviceId, name: string): Promise<void> | undefined;
  read(caller: DeviceId, name: string): Promise<Value | undefined>;
}

/** A value, or that there is none any more. */
interface Change {
  readonly value: Value | undefined;
}

/**
 * Subscriptions of devices to their own properties (`protocol.md` section 7):
 * `{"event": "device_property_update", "filters": {"property": name}, "current": true?}`. The device gets each new value
 * as it is, and null when the property is removed. With `current` the OK carries the value, if there is one. Without a
 * property the event is served like any other.
 */
export class PropertySource {
  readonly #port: PropertySourcePort;

  constructor(port: PropertySourcePort) {
    this.#port = port;
  }

  /**
   * Gives the payload of the OK, or a promise of it.
   * @throws IotmpError IOTMP_ERR_PROTOCOL for what is no name of a property
   */
  open(subscription: PropertySubscription): Promise<Value | undefined> | undefined {
    const { caller, parameters } = subscription;
    const filters = parameters.filters;
    if (!isMap(filters) || filters.property === undefined) {
      subscription.follow();
      return undefined;
    }
    const name = serviceName(filters.property);
    if (parameters.current === true) return this.#openWithCurrent(subscription, name);
    subscription.onClose = this.#port.watch(caller, name, (value) => subscription.deliver(value ?? null));
    return undefined;
  }

  /** What is told before the OK is in the OK; nothing older than what the OK carries may come after it. */
  async #openWithCurrent(subscription: PropertySubscription, name: string): Promise<Value | undefined> {
    const { caller } = subscription;
    const changes: Change[] = [];
    let isOpen = false;
    subscription.onClose = this.#port.watch(caller, name, (value) => {
      if (isOpen) subscription.deliver(value ?? null);
      else changes[0] = { value };
    });
    // What is under way was begun earlier: it is told before anything is read.
    let pending = this.#port.pending(caller, name);
    while (changes.length === 0 && pending !== undefined) {
      await pending;
      pending = this.#port.pending(caller, name);
    }
    // A write that a read sees, although it was begun later, is told before the read is answered.
    const value = changes.length > 0 ? undefined : await this.#port.read(caller, name);
    isOpen = true;
    const [change = { value }] = changes;
    return change.value;
  }
}
