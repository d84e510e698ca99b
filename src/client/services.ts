import { ServiceCode } from '../codec/constants';
import { IotmpError } from '../errors';
import type { Value } from '../types';
import type { ClientStreamOptions } from './client-stream-options';
import type { CallOptions, Reply, RequestOptions } from '../session/requests/reply';

/** How a lock is asked for. */
export interface LockOptions extends RequestOptions {
  /**
   * Names this claim, which `unlock` gives back; the server makes a name without it. Name it where
   * the request may be given up: the server cannot see that, and may grant it later.
   */
  readonly lock?: string | undefined;
  /** How many may hold the lock at once, this client included. The server's default is 1. */
  readonly slots?: number | undefined;
  /** How long the server may wait for the lock, in s; adds to the time that the answer may take. 0 = not at all. */
  readonly timeoutS?: number | undefined;
}

/** What the services need of a client. */
export interface ServicesPort {
  /** Time for an answer where the caller gives none, in ms. */
  readonly requestTimeoutMs: number;
  call(resource: unknown, options: CallOptions): Promise<Reply>;
}

/** The requests for services, put in the dialect in which the code is the resource (`protocol.md` section 7). */
export class Services {
  readonly #port: ServicesPort;

  constructor(port: ServicesPort) {
    this.#port = port;
  }

  async getProperty(name: string, options?: RequestOptions): Promise<Value> {
    try {
      return (await this.#request(ServiceCode.READ_PROPERTY, name, undefined, options)) ?? null;
    } catch (error) {
      if (isRemoteNotFound(error)) return null;
      throw error;
    }
  }

  async setProperty(name: string, value: unknown, options?: RequestOptions): Promise<void> {
    requireValue('a property', value);
    await this.#request(ServiceCode.SET_PROPERTY, name, value, options);
  }

  callDevice(
    device: string,
    resource: string,
    payload: unknown,
    options?: RequestOptions,
  ): Promise<Value | undefined> {
    return this.#request(ServiceCode.CALL_DEVICE, [device, resource], payload, options);
  }

  callEndpoint(name: string, data: unknown, options?: RequestOptions): Promise<Value | undefined> {
    return this.#request(ServiceCode.CALL_ENDPOINT, name, data, options);
  }

  async writeBucket(name: string, values: unknown, options?: RequestOptions): Promise<void> {
    requireValue('a bucket', values);
    await this.#request(ServiceCode.WRITE_BUCKET, name, values, options);
  }

  async lock(
    name: string,
    { lock, slots, timeoutS, ...options }: LockOptions = {},
  ): Promise<Value | undefined> {
    const wish: Record<string, unknown> = {};
    if (lock !== undefined) wish.lock = lock;
    if (slots !== undefined) wish.slots = slots;
    if (timeoutS !== undefined) wish.timeout = timeoutS;
    const payload = Object.keys(wish).length > 0 ? wish : undefined;
    // The server may hold its answer until the lock is free.
    const timeoutMs = options.timeoutMs ?? this.#port.requestTimeoutMs + (timeoutS ?? 0) * 1000;
    return this.#request(ServiceCode.LOCK, name, payload, { ...options, timeoutMs });
  }

  async unlock(name: string, lock: string | undefined, options?: RequestOptions): Promise<void> {
    await this.#request(ServiceCode.UNLOCK, name, lock === undefined ? undefined : { lock }, options);
  }

  async #request(
    code: number,
    parameters: unknown,
    payload: unknown,
    options: RequestOptions = {},
  ): Promise<Value | undefined> {
    const reply = await this.#port.call(code, { ...options, parameters, payload });
    return reply.payload;
  }
}

/** What a stream on service 8 is opened with, to hear of a property (`protocol.md` section 7). */
export function propertySubscription(property: string, current: boolean): ClientStreamOptions {
  return {
    parameters: { event: 'device_property_update', filters: { property }, ...(current && { current }) },
  };
}

function isRemoteNotFound(error: unknown): boolean {
  return error instanceof IotmpError && error.code === 'IOTMP_ERR_REMOTE' && error.statusCode === 404;
}

function requireValue(what: string, value: unknown): void {
  if (value === undefined)
    throw new IotmpError('IOTMP_ERR_NO_INPUT', `${what} cannot be written without a value`);
}
