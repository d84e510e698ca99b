import type { z } from 'zod';
import type { ConnectedDevice } from '../../broker/connected-device';
import type { HubSubscription } from '../../broker/hub/stream-hub';
import { errorText } from '../../errors';
import { FunctionCode } from '../../session/hosting/resource';
import type { Value } from '../../types';
import { deviceKey } from '../../util/device-key';
import type { Principal } from '../auth/principal';
import type { GatewayContext } from '../gateway-context';
import { badRequest } from '../http/request-error';
import type { equalityFilter } from './event-predicates';
import { detached, warnProcess } from '../../util/guard';

/** Options of a {@link FleetStream}. */
export interface FleetStreamOptions {
  readonly context: GatewayContext;
  readonly principal: Principal;
  readonly user: string;
  /** `resource`, and optionally `device` and `product`. */
  readonly filters: z.infer<typeof equalityFilter>;
  readonly intervalMs: number;
  send(frame: Record<string, Value | undefined>): void;
}

/**
 * Streams of a resource of all devices that match, also of devices that connect later (`platform-api.md` section 2.2).
 * Only outputs are opened, as nobody named the devices one by one: a stream of an input has an effect on the device.
 */
export class FleetStream {
  readonly #options: FleetStreamOptions;
  readonly #resources: readonly string[];
  readonly #subscriptions = new Map<string, HubSubscription>();
  readonly #onConnected = (device: ConnectedDevice): void =>
    detached('fleet stream', warnProcess, this.#add(device));
  #closed = false;

  /** @throws IotmpError IOTMP_ERR_REQUEST when no resource is named */
  constructor(options: FleetStreamOptions) {
    this.#options = options;
    this.#resources = valuesOf(options.filters.resource);
    if (this.#resources.length === 0) throw badRequest('filters.resource is needed');
    const { server } = options.context;
    server.on('connected', this.#onConnected);
    for (const device of server.devices) this.#onConnected(device);
  }

  close(): void {
    this.#closed = true;
    this.#options.context.server.off('connected', this.#onConnected);
    for (const subscription of this.#subscriptions.values()) subscription.close();
    this.#subscriptions.clear();
  }

  async #add(device: ConnectedDevice): Promise<void> {
    if (!this.#wants(device)) return;
    for (const resource of this.#resources) {
      try {
        if ((await device.functionOf(resource)) === FunctionCode.output) this.#open(device, resource);
      } catch (error) {
        this.#tell(device, resource, 'error', errorText(error));
      }
    }
  }

  #wants({ user, device }: ConnectedDevice): boolean {
    const { context, filters, principal } = this.#options;
    if (user !== this.#options.user) return false;
    const { device: names, product } = filters;
    if (names !== undefined && !valuesOf(names).includes(device)) return false;
    const isOfProduct =
      product === undefined ||
      valuesOf(product).includes(context.devices.get({ user, device })?.product ?? '');
    return isOfProduct && principal.permissions.allows('Device', device, 'AccessDeviceResources');
  }

  #open(device: ConnectedDevice, resource: string): void {
    const key = `${deviceKey(device)}/${resource}`;
    if (this.#closed || this.#subscriptions.has(key)) return;
    const { context, intervalMs } = this.#options;
    const subscription = context.server.subscribe(device, resource, {
      intervalMs,
      onSample: (sample) => this.#tell(device, resource, 'data', sample),
      onState: (state) => {
        if (state.kind === 'failed') this.#tell(device, resource, 'error', errorText(state.error));
      },
    });
    this.#subscriptions.set(key, subscription);
  }

  #tell(
    { user, device }: ConnectedDevice,
    resource: string,
    signal: string,
    payload: Value | undefined,
  ): void {
    const event = 'device_resource_stream';
    this.#options.send({ event, user, device, ts: Date.now(), resource, signal, payload });
  }
}

function valuesOf(filter: FleetStreamOptions['filters'][string] | undefined): string[] {
  return filter === undefined ? [] : [filter].flat().map(String);
}
