import { ServiceCode } from '../codec/constants';
import { IotmpError } from '../errors';
import { RegisteredResource } from '../session/hosting/hosted-resource';
import type { ResourceDefinition } from '../session/hosting/resource';
import {
  resourcePath,
  ResourceRegistry,
  type ResolvedResource,
  type ResourceHost,
} from '../session/hosting/resource-registry';
import { isMap, type Value } from '../types';
import { NO_CAPTURES } from '../util/path-trie';

const LAST_CODE = ServiceCode.SUBSCRIBE_EVENT;

/** A request for a service, whichever way it was put. */
export interface ServiceRequest {
  readonly code: number;
  /** The name, or `[device, resource]`, or the parameters of a subscription. */
  readonly argument: Value | undefined;
}

/**
 * What a server offers to its devices: services by number, in both dialects (`protocol.md` section 7), and
 * resources by name.
 */
export class ServiceHost implements ResourceHost {
  readonly resources = new ResourceRegistry(LAST_CODE + 1);
  readonly #services = new Map<number, RegisteredResource>();

  /**
   * Offers a service under its number, 1 to 8: to devices, any other number is none of a service. Its calls carry the name
   * in `parameters`.
   * @throws IotmpError IOTMP_ERR_CONFIG for another number, IOTMP_ERR_CONFLICT when the service is already there
   */
  offer(code: number, definition: ResourceDefinition): RegisteredResource {
    if (!isCode(code)) {
      throw new IotmpError(
        'IOTMP_ERR_CONFIG',
        `service ${String(code)}: services have the numbers 1 to ${LAST_CODE}`,
      );
    }
    if (this.#services.has(code)) throw new IotmpError('IOTMP_ERR_CONFLICT', `service ${code} is taken`);
    const service = new RegisteredResource(String(code), definition, () => this.#services.delete(code));
    this.#services.set(code, service);
    return service;
  }

  resolve(resource: Value | undefined, parameters: Value | undefined): ResolvedResource | undefined {
    const request = serviceRequest(resource, parameters);
    if (request !== undefined) return this.#resolveService(request);
    return this.resources.resolve(resource, parameters) ?? this.#resolveSubscription(resource, parameters);
  }

  /** A number beside the name of a resource that is hosted is an interval in ms, and no code. */
  resolveStream(resource: Value | undefined, parameters: Value | undefined): ResolvedResource | undefined {
    if (isCode(resource)) return this.#resolveService({ code: resource, argument: parameters });
    const hosted = this.resources.resolve(resource, parameters);
    if (hosted !== undefined) return hosted;
    // In dialect B, of the services only subscriptions are streams.
    return parameters === ServiceCode.SUBSCRIBE_EVENT
      ? this.#resolveService({ code: parameters, argument: resource })
      : this.#resolveSubscription(resource, parameters);
  }

  describeAll(): Record<string, Value> {
    return this.resources.describeAll();
  }

  #resolveService({ code, argument }: ServiceRequest): ResolvedResource | undefined {
    const service = this.#services.get(code);
    if (service === undefined) return undefined;
    const path = typeof argument === 'string' ? argument : '';
    return { resource: service, path, captures: NO_CAPTURES, parameters: argument };
  }

  /**
   * A name that nobody hosts, with the type of what it means, is the other form of a subscription: its parameters are
   * passed on as they are, and the name is the path.
   */
  #resolveSubscription(
    resource: Value | undefined,
    parameters: Value | undefined,
  ): ResolvedResource | undefined {
    const service = this.#services.get(ServiceCode.SUBSCRIBE_EVENT);
    const path = resourcePath(resource);
    if (service === undefined || path === undefined || !isMap(parameters)) return undefined;
    if (!isSubscriptionType(parameters.type)) return undefined;
    return { resource: service, path, captures: NO_CAPTURES, parameters };
  }
}

/**
 * Reads a request as one for a service: of resource and parameters, the one that holds a service's number is
 * the code, the other the name. `undefined` when neither does.
 */
export function serviceRequest(
  resource: Value | undefined,
  parameters: Value | undefined,
): ServiceRequest | undefined {
  if (isCode(resource)) return { code: resource, argument: parameters };
  const isName = typeof resource === 'string' || Array.isArray(resource) || isMap(resource);
  if (isCode(parameters) && isName) return { code: parameters, argument: resource };
  return undefined;
}

/** The types of subscriptions on a named resource (`protocol.md` section 7). */
function isSubscriptionType(type: Value | undefined): boolean {
  return type === 'mqtt' || type === 'event' || type === 'device';
}

function isCode(field: Value | undefined): field is number {
  return typeof field === 'number' && Number.isInteger(field) && field >= 1 && field <= LAST_CODE;
}
