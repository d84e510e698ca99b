import type { IotmpServer } from '../broker/broker';
import { IotmpError, publicText } from '../errors';
import type { HostedResource } from '../session/hosting/hosted-resource';
import type { ResourceCall } from '../session/hosting/resource';
import { resourcePath } from '../session/hosting/resource-registry';
import type { DeviceAction } from '../rights/device-request';
import type { DeviceRights } from '../rights/device-rights';
import type { DeviceId, Value } from '../types';
import { isAwaitable } from '../util/awaitable';
import type { Service, ServiceOffer } from './service';

/** A request for a service, a RUN or a START_STREAM. */
type OfferedRequest = Pick<ResourceCall, 'caller' | 'parameters'>;

type FromDevice<T> = T & { readonly caller: DeviceId };

/** Maximum length of a text that a device puts into an event, in characters. */
const MAX_TEXT = 256;

/**
 * A service while a server offers it. Each request that it refuses is an event of the server, `device_service_refused`,
 * which is the only trace of a request that wants no answer.
 */
export class AttachedService {
  readonly #server: IotmpServer;
  readonly #rights: DeviceRights;
  readonly #hosted: HostedResource[] = [];

  /**
   * @throws IotmpError IOTMP_ERR_CONFIG when one of its numbers is none of a service, IOTMP_ERR_CONFLICT when it is taken;
   *   then none of them is offered
   */
  constructor(server: IotmpServer, rights: DeviceRights, service: Service) {
    this.#server = server;
    this.#rights = rights;
    try {
      for (const offer of service.offers) this.#hosted.push(this.#host(offer));
    } catch (error) {
      this.detach();
      throw error;
    }
  }

  /** Withdraws the service and ends its open streams. Idempotent. */
  detach(): void {
    for (const resource of this.#hosted) resource.remove();
  }

  #host(offer: ServiceOffer): HostedResource {
    const { code, timeoutMs } = offer;
    const run = offer.run?.bind(offer);
    const open = offer.open?.bind(offer);
    return this.#server.host.offer(code, {
      kind: open === undefined ? 'run' : 'output',
      run: (call) => this.#serve(offer, call, run, () => call.signal.aborted),
      // DESCRIBE of a service does not run the service.
      describe: () => ({}),
      streams: 'messages',
      ...(open !== undefined && {
        open: (stream) => this.#serve(offer, stream, open, () => stream.closed),
      }),
      ...(timeoutMs !== undefined && { timeoutMs }),
    });
  }

  /** Serves a request. Publishes its refusal, at once or later, unless the caller has disconnected. */
  #serve<T extends OfferedRequest>(
    offer: ServiceOffer,
    request: T,
    action: ((request: FromDevice<T>) => unknown) | undefined,
    isGone: () => boolean,
  ): unknown {
    const refuse = (error: unknown): never => {
      if (!isGone()) this.#tellRefusal(offer, request, error);
      throw error;
    };
    try {
      if (!isFromDevice(request) || action === undefined) throw notOffered();
      if (offer.action !== undefined) this.#checkRight(offer.action, request);
      const result = action(request);
      return isAwaitable(result) ? Promise.resolve(result).catch(refuse) : result;
    } catch (error) {
      return refuse(error);
    }
  }

  #checkRight(action: DeviceAction, { caller, parameters }: FromDevice<OfferedRequest>): void {
    if (typeof parameters === 'string') this.#rights.checkShared(caller, action, parameters);
  }

  #tellRefusal({ name }: ServiceOffer, { caller, parameters }: OfferedRequest, error: unknown): void {
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

function isFromDevice<T extends OfferedRequest>(request: T): request is FromDevice<T> {
  return request.caller !== undefined;
}

/** The error of a request that the service does not serve. */
function notOffered(): IotmpError {
  return new IotmpError('IOTMP_ERR_NOT_ALLOWED', 'the service does not do this');
}

/** The subject of a request, for people: a name, `device/resource`, or nothing where it is neither. */
function targetText(parameters: Value | undefined): string {
  return resourcePath(parameters)?.slice(0, MAX_TEXT) ?? '';
}
