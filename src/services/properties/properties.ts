import type { IotmpServer } from '../../broker/broker';
import { ServiceCode } from '../../codec/constants';
import { snapshot } from '../../codec/snapshot';
import { encodeValue } from '../../codec/writing/pson-encoder';
import { errorText, IotmpError } from '../../errors';
import { Answer } from '../../session/hosting/resource';
import type { Page } from '../../store/page';
import type { Outcome, Property, PropertyOwner } from '../../store/property-store';
import type { DeviceId, Value } from '../../types';
import { memorySize } from '../../util/memory-size';
import { OrderedOutcomes } from '../ordered-outcomes';
import type { Service, ServiceCall, ServiceOffer } from '../service';
import { serviceName } from '../service-name';
import type { StoreAccess } from '../store-access';
import { PropertySource, type PropertySourcePort } from './property-source';
import { propertyKey, PropertyWatchers, type PropertyListener } from './property-watchers';

/** Number of properties per page when all are removed. */
const CLEAR_STEP = 1000;
/** Maximum number of bytes that an answer has beside its payload. */
const ANSWER_BYTES = 8;

/**
 * Services 1 and 2: properties (`protocol.md` section 7), named values that outlive the connection of their device. A
 * device reads and sets its own properties. Flows and programs read and set the properties of all devices, of assets such
 * as types of devices, and of users. An OK means that the value is kept.
 *
 * A missing property is answered with ERROR 404 without a payload, because devices take the payload of any answer for the
 * value, even the payload of an ERROR. Refused are: a bad name and a set without a value (400), a value past the limit of
 * the store, or of the device that sets it and could not read it again (413), one property too many (409), and everything while the store fails (503, 507).
 *
 * A change publishes the event `device_property_update` with `property` and `value`, and a removal
 * `device_property_delete`. The events of users and types begin with `user_` and `type_`. To set the present value is no
 * change, so that subscribers that write back each value come to an end. {@link merge} always counts as a change. Changes
 * of one property are published in their order. All writes must go through here: other writes publish nothing.
 */
export class Properties implements Service {
  readonly offers: readonly ServiceOffer[] = [
    {
      code: ServiceCode.READ_PROPERTY,
      name: 'read_property',
      action: 'ReadProperty',
      run: (call) => this.#serveRead(call),
    },
    {
      code: ServiceCode.SET_PROPERTY,
      name: 'set_property',
      action: 'UpdateProperty',
      run: (call) => this.#serveSet(call),
    },
  ];
  /** Serves subscriptions to `device_property_update`. */
  readonly source: PropertySource;
  readonly #server: IotmpServer;
  readonly #store: StoreAccess;
  readonly #outcomes = new OrderedOutcomes();
  readonly #watchers: PropertyWatchers;

  constructor(server: IotmpServer, store: StoreAccess) {
    this.#server = server;
    this.#store = store;
    this.#watchers = new PropertyWatchers((error) =>
      server.warn(`a listener of a property failed: ${errorText(error)}`),
    );
    const port = {
      watch: (owner, name, listener) => this.watch(owner, name, listener),
      pending: (owner, name) => this.#outcomes.pending(propertyKey(owner, name)),
      read: async (owner, name) => (await this.get(owner, name))?.value,
    } satisfies PropertySourcePort;
    this.source = new PropertySource(port);
  }

  /** Number of properties that are watched. */
  get watched(): number {
    return this.#watchers.size;
  }

  /** A property, or undefined. All methods here reject with IOTMP_ERR_PROTOCOL for a bad name, and if the store does. */
  async get(owner: PropertyOwner, name: string): Promise<Property | undefined> {
    const checked = serviceName(name);
    return this.#store.use(({ properties }) => properties.get(owner, checked));
  }

  /** Properties in the order of their names. */
  async list(owner: PropertyOwner, page?: Page): Promise<Property[]> {
    return this.#store.use(({ properties }) => properties.list(owner, page));
  }

  /** Sets a property, and creates it if it is new. `attributes`, if given, replace the present attributes. */
  async set(
    owner: PropertyOwner,
    name: string,
    value: unknown,
    attributes?: Readonly<Record<string, Value>>,
  ): Promise<Outcome> {
    return this.#set(owner, serviceName(name), snapshot(checkedValue(value)), attributes);
  }

  /** Changes parts of a property, as a JSON merge patch (RFC 7396) does. Resolves with the new value. */
  async merge(owner: PropertyOwner, name: string, patch: unknown): Promise<Value> {
    const checked = serviceName(name);
    const kept = snapshot(checkedValue(patch));
    const work = this.#store.use(({ properties }) => properties.merge(owner, checked, kept));
    return this.#outcomes.add(propertyKey(owner, checked), work, (value) => {
      this.#tellUpdate(owner, checked, value);
      return value;
    });
  }

  /** Removes a property. Resolves with whether it was there. */
  async remove(owner: PropertyOwner, name: string): Promise<boolean> {
    const checked = serviceName(name);
    const work = this.#store.use(({ properties }) => properties.remove(owner, checked));
    return this.#outcomes.add(propertyKey(owner, checked), work, (wasThere) => {
      if (wasThere) this.#tellRemoval(owner, checked);
      return wasThere;
    });
  }

  /** Removes all properties of a device or user, for its own removal. Resolves with their number. */
  async clear(owner: PropertyOwner): Promise<number> {
    const found = await this.list(owner, { limit: CLEAR_STEP });
    const removed = await Promise.all(found.map(({ name }) => this.remove(owner, name)));
    const count = removed.filter(Boolean).length;
    return count === CLEAR_STEP ? count + (await this.clear(owner)) : count;
  }

  /**
   * Calls a listener with each new value of a property, `undefined` on its removal. Returns a function that ends this.
   * @throws IotmpError IOTMP_ERR_PROTOCOL for a bad name
   */
  watch(owner: PropertyOwner, name: string, listener: PropertyListener): () => void {
    return this.#watchers.add(propertyKey(owner, serviceName(name)), listener);
  }

  close(): void {
    this.#watchers.clear();
  }

  async #serveRead({ caller, parameters }: ServiceCall): Promise<unknown> {
    const name = serviceName(parameters);
    // After what the device has set before.
    const property = await this.#store.inTurn(caller, 0, () => this.get(caller, name));
    return property === undefined ? new Answer(undefined, 404) : property.value;
  }

  async #serveSet({ caller, parameters, payload }: ServiceCall): Promise<void> {
    const value = checkedValue(payload);
    this.#checkReadable(caller, value);
    const name = serviceName(parameters);
    await this.#store.inTurn(caller, memorySize(value), () => this.#set(caller, name, value));
  }

  /** Refuses a value that the device could not read again: a small device can send more than it takes. */
  #checkReadable(caller: DeviceId, value: Value): void {
    const limit = this.#server.device(caller)?.maxBodySize ?? Infinity;
    const size = encodeValue(value).length + ANSWER_BYTES;
    if (size <= limit) return;
    const text = `a property of ${size} bytes: the device itself can read ${limit} at most`;
    throw new IotmpError('IOTMP_ERR_TOO_LARGE', text);
  }

  #set(
    owner: PropertyOwner,
    name: string,
    value: Value,
    attributes?: Readonly<Record<string, Value>>,
  ): Promise<Outcome> {
    const work = this.#store.use(({ properties }) => properties.set(owner, name, value, attributes));
    return this.#outcomes.add(propertyKey(owner, name), work, (outcome) => {
      if (outcome !== 'unchanged') this.#tellUpdate(owner, name, value);
      return outcome;
    });
  }

  #tellUpdate(owner: PropertyOwner, property: string, value: Value): void {
    this.#watchers.tell(propertyKey(owner, property), value);
    this.#publish(owner, 'property_update', { property, value });
  }

  #tellRemoval(owner: PropertyOwner, property: string): void {
    this.#watchers.tell(propertyKey(owner, property), undefined);
    this.#publish(owner, 'property_delete', { property });
  }

  #publish(
    { user, device, asset }: PropertyOwner,
    what: string,
    fields: Readonly<Record<string, Value>>,
  ): void {
    const owner = device === undefined ? asset : { kind: 'device', id: device };
    const event = `${owner?.kind ?? 'user'}_${what}`;
    const about = owner === undefined ? {} : { [owner.kind]: owner.id };
    this.#server.events.publish({ event, user, ...about, ts: Date.now(), ...fields });
  }
}

/** Checks a value: `undefined` is none, null is a value. */
function checkedValue<T>(value: T | undefined): T {
  if (value !== undefined) return value;
  throw new IotmpError('IOTMP_ERR_NO_INPUT', 'a property cannot be set without a value');
}
