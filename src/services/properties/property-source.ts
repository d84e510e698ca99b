import { sharedRequest, type DeviceRequest } from '../../rights/device-request';
import { isMap, type DeviceId, type Value } from '../../types';
import { serviceName } from '../service-name';
import type { PropertyListener } from './property-watchers';

/** A device's subscription to `device_property_update`, as service 8 passes it on. */
export interface PropertySubscription {
  readonly caller: DeviceId;
  /** All parameters of the subscription. */
  readonly parameters: Readonly<Record<string, Value>>;
  /** Called once when the subscription has ended. */
  onClose: (() => void) | undefined;
  /** Sends a payload to the device, after the OK. */
  deliver(payload: unknown): void;
  /** Checks a right that the subscription needs for as long as it is open. Throws without it. */
  need(request: DeviceRequest): void;
  /** Serves the subscription like an event without a source. */
  follow(): void;
}

/** The part of the properties that this source uses. */
export interface PropertySourcePort {
  watch(caller: DeviceId, name: string, listener: PropertyListener): () => void;
  /** Resolves when all pending changes have been published; `undefined` if no change is pending. */
  pending(caller: DeviceId, name: string): Promise<void> | undefined;
  read(caller: DeviceId, name: string): Promise<Value | undefined>;
}

/** A new value, or a removal. */
interface Change {
  readonly value: Value | undefined;
}

/**
 * Subscriptions of devices to their own properties (`protocol.md` section 7):
 * `{"event": "device_property_update", "filters": {"property": name}, "current": true?}`. The device gets each new value
 * unchanged, and null when the property is removed. With `current` the OK carries the present value, if there is one.
 * Without a property the event is served like any other event.
 */
export class PropertySource {
  readonly #port: PropertySourcePort;

  constructor(port: PropertySourcePort) {
    this.#port = port;
  }

  /**
   * Opens a subscription. Returns the payload of the OK, or a promise of the payload.
   * @throws IotmpError IOTMP_ERR_PROTOCOL for a bad name of a property
   */
  open(subscription: PropertySubscription): Promise<Value | undefined> | undefined {
    const { caller, parameters } = subscription;
    const filters = parameters.filters;
    if (!isMap(filters) || filters.property === undefined) {
      subscription.follow();
      return undefined;
    }
    const name = serviceName(filters.property);
    subscription.need(sharedRequest(caller, 'ReadProperty', name));
    if (parameters.current === true) return this.#openWithCurrent(subscription, name);
    subscription.onClose = this.#port.watch(caller, name, (value) => subscription.deliver(value ?? null));
    return undefined;
  }

  /** The OK carries the changes that come before it. No value older than the value in the OK may follow it. */
  async #openWithCurrent(subscription: PropertySubscription, name: string): Promise<Value | undefined> {
    const { caller } = subscription;
    const changes: Change[] = [];
    let isOpen = false;
    subscription.onClose = this.#port.watch(caller, name, (value) => {
      if (isOpen) subscription.deliver(value ?? null);
      else changes[0] = { value };
    });
    // Pending changes were made earlier, so they are published before the read.
    let pending = this.#port.pending(caller, name);
    while (changes.length === 0 && pending !== undefined) {
      await pending;
      pending = this.#port.pending(caller, name);
    }
    // The read may see a write that was begun later. That write is published before the read is answered.
    const value = changes.length > 0 ? undefined : await this.#port.read(caller, name);
    isOpen = true;
    const [change = { value }] = changes;
    return change.value;
  }
}
