import type { IotmpServer } from '../broker/broker';
import { ServiceCode } from '../codec/constants';
import { snapshot } from '../codec/snapshot';
import { errorText, IotmpError, RemoteError } from '../errors';
import { Answer, type ResourceResult } from '../session/hosting/resource';
import type { DeviceId, Value } from '../types';
import { systemClock, type Clock } from '../util/clock';
import type { Service, ServiceCall, ServiceOffer } from './service';
import { serviceName } from './service-name';
import { guarded, warnProcess } from '../util/guard';
import { toldReason } from '../session/requests/reply';

/** A call of an endpoint, as its handler gets it. */
export interface EndpointCall {
  readonly name: string;
  /** The data; `undefined` if the call carried no data. */
  readonly payload: Value | undefined;
  /** The user that makes the call, or owns the device that makes it. */
  readonly user: string;
  /** The device that makes the call; `undefined` for a program. */
  readonly caller: DeviceId | undefined;
  /** Aborts when the caller does not wait for the answer any more. */
  readonly signal: AbortSignal;
}

/** Answers a call with a value, an `Answer` with a status, or a promise of either. An exception is answered as an error. */
export type EndpointHandler = (call: EndpointCall) => ResourceResult;

/** The answer of an endpoint. */
export interface EndpointReply {
  readonly payload: Value | undefined;
  /** The handler's status, below 400; 200 by default. */
  readonly statusCode: number;
}

/** The caller of an endpoint. */
export interface EndpointCallOptions {
  readonly caller?: DeviceId | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How an endpoint is hosted. */
export interface EndpointHostOptions {
  /**
   * Time for an answer of this endpoint, in ms, in place of the timeout of all endpoints. Microcontrollers wait for 10 s
   * at most, so above 8 s only programs get a late answer.
   */
  readonly timeoutMs?: number | undefined;
}

/** A hosted endpoint. */
interface Hosted {
  readonly handler: EndpointHandler;
  readonly timeoutMs: number;
}

/** Options of {@link Endpoints}. */
export interface EndpointsOptions {
  /** Time for an answer, in ms. 8000 by default, because devices give up after 10 s. */
  readonly timeoutMs?: number;
  readonly clock?: Clock;
}

/** An answer of any status. */
interface EndpointOutcome {
  readonly payload: Value | undefined;
  readonly statusCode: number;
}

const DEFAULT_TIMEOUT_MS = 8_000;
/** Maximum number of pending calls of all devices and programs. */
const MAX_CALLS = 1024;
/** The longest time of a timer, in ms: calls have their own timeout. */
const AS_LONG_AS_THE_CALL = 2 ** 31 - 1;

/**
 * Service 4: devices and programs call endpoints by name (`protocol.md` section 7). Flows host the endpoints. Each call
 * is the event `endpoint_call` of the server, and each answer is the event `endpoint_call_response`.
 *
 * Refused are: a bad name (400), an endpoint that is not hosted (404), and too many calls at once (503). A call that is
 * not answered in time fails with 504. If the handler throws, the call fails with the status of the IotmpError, or 500.
 */
export class Endpoints implements Service {
  readonly offers: readonly ServiceOffer[] = [
    {
      code: ServiceCode.CALL_ENDPOINT,
      name: 'call_endpoint',
      action: 'CallEndpoint',
      timeoutMs: AS_LONG_AS_THE_CALL,
      run: (call) => this.#serve(call),
    },
  ];
  readonly #server: IotmpServer;
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  readonly #handlers = new Map<string, Hosted>();
  readonly #calls = new Set<AbortController>();

  constructor(server: IotmpServer, options: EndpointsOptions = {}) {
    const { timeoutMs = DEFAULT_TIMEOUT_MS, clock = systemClock } = options;
    this.#server = server;
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
  }

  /** The hosted endpoints. */
  get names(): string[] {
    return [...this.#handlers.keys()];
  }

  /** Number of pending calls. */
  get pending(): number {
    return this.#calls.size;
  }

  /**
   * Hosts an endpoint for the devices and programs of all users. Returns a function that ends the hosting. Pending
   * calls are still answered.
   * @throws IotmpError IOTMP_ERR_PROTOCOL for a bad name, IOTMP_ERR_CONFLICT if the endpoint is hosted already
   */
  host(name: string, handler: EndpointHandler, { timeoutMs }: EndpointHostOptions = {}): () => void {
    serviceName(name);
    if (this.#handlers.has(name)) {
      throw new IotmpError('IOTMP_ERR_CONFLICT', `endpoint "${name}" is already hosted`);
    }
    // A new object for each hosting, so that ending one twice does not end the next.
    const own = { handler, timeoutMs: timeoutMs ?? this.#timeoutMs };
    this.#handlers.set(name, own);
    return () => {
      if (this.#handlers.get(name) === own) this.#handlers.delete(name);
    };
  }

  /**
   * Calls an endpoint.
   * @throws IotmpError (as a rejection) with the service's own refusals. A RemoteError with the payload for an answer of
   *   400 or more, IOTMP_ERR_ENCODE for an answer that PSON cannot carry, IOTMP_ERR_ABORTED when the signal aborts
   */
  async call(
    user: string,
    name: string,
    payload: unknown,
    { caller, signal }: EndpointCallOptions = {},
  ): Promise<EndpointReply> {
    const input = payload === undefined ? undefined : snapshot(payload);
    const outcome = await this.#call({ name: serviceName(name), payload: input, user, caller }, signal);
    if (outcome.statusCode < 400) return outcome;
    const text = toldReason(outcome.payload) ?? `endpoint "${name}" answered ${outcome.statusCode}`;
    throw new RemoteError(text, outcome.statusCode, outcome.payload);
  }

  close(): void {
    this.#handlers.clear();
    const reason = new IotmpError('IOTMP_ERR_CLOSED', 'endpoints are no longer offered');
    for (const call of this.#calls) call.abort(reason);
  }

  async #serve({ parameters, payload, caller, signal }: ServiceCall): Promise<ResourceResult> {
    const name = serviceName(parameters);
    const outcome = await this.#call({ name, payload, user: caller.user, caller }, signal);
    return outcome.statusCode === 200 ? outcome.payload : new Answer(outcome.payload, outcome.statusCode);
  }

  async #call(call: Omit<EndpointCall, 'signal'>, signal: AbortSignal | undefined): Promise<EndpointOutcome> {
    const hosted = this.#handlers.get(call.name);
    if (hosted === undefined) throw new IotmpError('IOTMP_ERR_NOT_FOUND', 'no such endpoint');
    if (this.#calls.size >= MAX_CALLS) throw new IotmpError('IOTMP_ERR_BUSY', 'too many calls of endpoints');
    this.#tell('endpoint_call', call, { payload: call.payload ?? null });
    try {
      const outcome = await this.#run(hosted, call, signal);
      const { payload = null, statusCode } = outcome;
      this.#tell('endpoint_call_response', call, { payload, statusCode });
      return outcome;
    } catch (error) {
      const statusCode = error instanceof IotmpError ? error.statusCode : 500;
      this.#tell('endpoint_call_response', call, { payload: { error: errorText(error) }, statusCode });
      throw error;
    }
  }

  /** Runs the handler until it answers, the time is over, or the signal aborts. */
  async #run(
    { handler, timeoutMs }: Hosted,
    call: Omit<EndpointCall, 'signal'>,
    outer: AbortSignal | undefined,
  ): Promise<EndpointOutcome> {
    if (outer?.aborted === true) throw givenUp();
    const end = new AbortController();
    const { signal } = end;
    const cut = Promise.withResolvers<never>();
    const onAbort = guarded('endpoint ended', warnProcess, () => cut.reject(signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    const giveUp = guarded('endpoint given up', warnProcess, () => end.abort(givenUp()));
    outer?.addEventListener('abort', giveUp, { once: true });
    const timer = this.#clock.after(timeoutMs, () => {
      end.abort(new IotmpError('IOTMP_ERR_TIMEOUT', `endpoint "${call.name}" did not answer in time`));
    });
    this.#calls.add(end);
    try {
      return outcomeOf(await Promise.race([cut.promise, run(handler, { ...call, signal })]));
    } finally {
      timer.cancel();
      outer?.removeEventListener('abort', giveUp);
      this.#calls.delete(end);
    }
  }

  #tell(
    event: string,
    { name, user, caller }: Omit<EndpointCall, 'signal'>,
    fields: Readonly<Record<string, Value>>,
  ): void {
    const device = caller === undefined ? {} : { device: caller.device };
    this.#server.events.publish({ event, user, ...device, ts: Date.now(), endpoint: name, ...fields });
  }
}

/** Turns a synchronous exception of the handler into a rejection. */
function run(handler: EndpointHandler, call: EndpointCall): Promise<unknown> {
  return new Promise((resolve) => resolve(handler(call)));
}

function givenUp(): IotmpError {
  return new IotmpError('IOTMP_ERR_ABORTED', 'the caller gave up');
}

function outcomeOf(result: unknown): EndpointOutcome {
  const { payload, statusCode = 200 } = result instanceof Answer ? result : new Answer(result);
  return { payload: payload === undefined ? undefined : snapshot(payload), statusCode };
}
