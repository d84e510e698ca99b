import type { IotmpServer } from '../broker/broker';
import { IotmpError, publicText } from '../errors';
import type { HostedResource } from '../session/hosting/hosted-resource';
import type { ResourceCall, ResourceStream } from '../session/hosting/resource';
import { resourcePath } from '../session/hosting/resource-registry';
import type { DeviceId, Value } from '../types';
import type { Service, ServiceOffer } from './service';

/** What every request for a service has, a RUN or a START_STREAM. */
type ServiceRequest = Pick<ResourceCall, 'caller' | 'parameters'>;

/** Longest text in an event that a device has chosen, in characters. */
const MAX_TEXT = 256;

/**
 * A service while a server offers it. Each request that it refuses is told as an event of the server,
 * `device_service_refused`: it is the only trace of a request that wants no answer.
 */
export class AttachedService {
  readonly #server: IotmpServer;
  readonly #hosted: HostedResource[] = [];

  /** @throws IotmpError IOTMP_ERR_CONFLICT when one of its numbers is taken; then none of them is offered */
  constructor(server: IotmpServer, service: Service) {
    this.#server = server;
    try {
      for (const offer of service.offers) this.#hosted.push(this.#host(offer));
    } catch (error) {
      this.detach();
      throw error;
    }
  }

  /** Offers it no more, and ends the streams that are open on it. Idempotent. */
  detach(): void {
    for (const resource of this.#hosted) resource.remove();
  }

  #host(offer: ServiceOffer): HostedResource {
    const { code, timeoutMs } = offer;
    return this.#server.host.offer(code, {
      kind: offer.open === undefined ? 'run' : 'output',
      run: (call) => this.#run(offer, call),
      // DESCRIBE of a service asks nothing of it.
      describe: () => ({}),
      ...(offer.open !== undefined && { open: (stream) => this.#open(offer, stream) }),
      ...(timeoutMs !== undefined && { timeoutMs }),
    });
  }

  #run(offer: ServiceOffer, call: ResourceCall): unknown {
    const refuse = (error: unknown): never => {
      // Who is gone was refused nothing.
      if (!call.signal.aborted) this.#tellRefusal(offer, call, error);
      throw error;
    };
    try {
      if (!isFromDevice(call) || offer.run === undefined) throw notOffered();
      const result = offer.run(call);
      return result instanceof Promise ? result.catch(refuse) : result;
    } catch (error) {
      return refuse(error);
    }
  }

  #open(offer: ServiceOffer, stream: ResourceStream): unknown {
    const refuse = (error: unknown): never => {
      if (!stream.closed) this.#tellRefusal(offer, stream, error);
      throw error;
    };
    try {
      if (!isFromDevice(stream) || offer.open === undefined) throw notOffered();
      const result = offer.open(stream);
      return result instanceof Promise ? result.catch(refuse) : result;
    } catch (error) {
      return refuse(error);
    }
  }

  #tellRefusal({ name }: ServiceOffer, { caller, parameters }: ServiceRequest, error: unknown): void {
    this.#server.events.publish({
      event: 'device_service_refused',
      user: caller?.user ?? '',
      ...(caller !== undefined && { device: caller.device }),
      ts: Date.now(),
      service: name,
      target: targetText(parameters),
      statusCode: error instanceof IotmpError ? error.statusCode : 500,
      reason: publicText(error).slice(0, MAX_TEXT),
    });
  }
}

function isFromDevice<T extends ServiceRequest>(request: T): request is T & { readonly caller: DeviceId } {
  return request.caller !== undefined;
}

/** What was asked of a service that it does not do. */
function notOffered(): IotmpError {
  return new IotmpError('IOTMP_ERR_NOT_ALLOWED', 'the service does not do this');
}

/** What a request was about, for people: a name, `device/resource`, or nothing where it was neither. */
function targetText(parameters: Value | undefined): string {
  return resourcePath(parameters)?.slice(0, MAX_TEXT) ?? '';
}
