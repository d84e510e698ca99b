import type { ConnectedDevice } from '../../broker/connected-device';
import { snapshot } from '../../codec/snapshot';
import { IotmpError, RemoteError } from '../../errors';
import { FunctionCode } from '../../session/hosting/resource';
import { isMap, type DeviceId, type Value } from '../../types';
import { reachesResource, type Principal } from '../auth/principal';
import type { GatewayContext } from '../gateway-context';
import { forbidden, notFound } from '../http/request-error';
import { parametersOf } from './parameters';
import type { Reply } from '../../session/requests/reply';

/** Resources of files that are run to be read, although they have an input, the path (`devices-linux.md` section 7). */
const READS = /^\$fs\/(get|info|hash)\//;

/** A request of a program for a resource. */
export interface ResourceRequest {
  readonly context: GatewayContext;
  readonly principal: Principal;
  readonly device: DeviceId;
  readonly resource: string;
  /** IoTMP parameters for the device. */
  readonly query: URLSearchParams;
  readonly signal: AbortSignal;
}

/** The result of a read: the state of an input, an output, or nothing. */
export interface ReadState {
  readonly kind: 'in' | 'out';
  readonly value: Value | undefined;
  /** That of the device's answer; 200 where it was not asked. */
  readonly statusCode: number;
}

/**
 * The device of a request, while it is connected.
 * @throws IotmpError IOTMP_ERR_OFFLINE, IOTMP_ERR_FORBIDDEN
 */
export function connectedDevice(
  { context, principal, device }: Pick<ResourceRequest, 'context' | 'principal' | 'device'>,
  resource?: string,
): ConnectedDevice {
  if (resource !== undefined && !reachesResource(principal, resource)) {
    throw forbidden('the token is not for this resource');
  }
  const connected = context.server.device(device);
  if (connected !== undefined) return connected;
  throw new IotmpError('IOTMP_ERR_OFFLINE', `${device.device} is not connected`);
}

/**
 * Reads a resource. A read has no effect where that can be avoided (`protocol.md` section 5): an input is not run. Its
 * state is the one last seen on this connection. Without one, the device is asked to describe the resource.
 */
export async function readResource(request: ResourceRequest): Promise<ReadState> {
  const { resource } = request;
  const device = connectedDevice(request, resource);
  const fn = await functionOf(device, resource);
  if (READS.test(resource) || (fn !== FunctionCode.input && fn !== FunctionCode.inout)) {
    const { payload: value, statusCode } = await runResource(request, undefined);
    return { kind: 'out', value, statusCode };
  }
  const kind = fn === FunctionCode.input ? 'in' : 'out';
  const known = device.lastKnown.get(resource);
  const seen = known !== undefined && known.at >= device.since;
  const state = kind === 'in' ? (known?.input ?? known?.output) : known?.output;
  // A program may have written any value that can be sent: it is shown as it was sent.
  if (seen && state !== undefined) return { kind, value: snapshot(state), statusCode: 200 };
  const { payload: samples, statusCode } = await describeResource(request);
  return { kind, value: isMap(samples) ? (samples[kind] ?? null) : undefined, statusCode };
}

/**
 * Runs a resource, with or without an input.
 * @throws IotmpError (as a rejection) IOTMP_ERR_NOT_FOUND where the device has no such resource
 */
export function runResource(request: ResourceRequest, payload: unknown): Promise<Reply> {
  const { resource, query, signal } = request;
  const parameters = parametersOf(query);
  return ask(request, (device) => device.call(resource, { payload, parameters, signal }));
}

/**
 * Samples of a resource, `{in?, out?}`, which the device runs its code to make. Without a payload when the device gives none.
 * @throws IotmpError (as a rejection) IOTMP_ERR_NOT_FOUND where the device has no such resource
 */
export function describeResource(request: ResourceRequest): Promise<Reply> {
  const { resource, signal } = request;
  return ask(request, (device) => device.describeResource(resource, { signal }));
}

/** Asks a device. Most firmware gives the same answer for a resource that it does not have and for one that failed. */
async function ask(
  request: ResourceRequest,
  call: (device: ConnectedDevice) => Promise<Reply>,
): Promise<Reply> {
  const device = connectedDevice(request, request.resource);
  try {
    return await measured(request.context, () => call(device));
  } catch (error) {
    if (saysNothing(error)) await functionOf(device, request.resource);
    throw error;
  }
}

/** Whether the error of a device has neither code nor text. */
function saysNothing(error: unknown): boolean {
  return error instanceof RemoteError && error.statusCode === 500 && error.payload === undefined;
}

/**
 * The device's description of the resource.
 * @throws IotmpError (as a rejection) IOTMP_ERR_NOT_FOUND when the device has no such resource; it is not called then
 */
async function functionOf(device: ConnectedDevice, resource: string): Promise<number | undefined> {
  const described = await describedBy(device);
  const found = described?.find(resource);
  if (described !== undefined && found === undefined) throw noResource(resource);
  return found?.fn;
}

/** Programs take 404 for a missing file: a device without these resources is another error. */
function noResource(resource: string): IotmpError {
  const text = `there is no resource ${resource}`;
  if (!READS.test(resource)) return notFound(text);
  return new IotmpError('IOTMP_ERR_NOT_ALLOWED', text, { statusCode: 501 });
}

/** The description of a device. A device that does not describe itself can still be called. */
export async function describedBy(
  device: ConnectedDevice,
): Promise<Awaited<ReturnType<ConnectedDevice['describe']>> | undefined> {
  try {
    return await device.describe();
  } catch (error) {
    if (error instanceof IotmpError && error.code === 'IOTMP_ERR_REMOTE') return undefined;
    throw error;
  }
}

/** Calls a device, and counts the call in the metrics. */
export async function measured(
  { clock, metrics }: Pick<GatewayContext, 'clock' | 'metrics'>,
  call: () => Promise<Reply>,
): Promise<Reply> {
  const startedAt = clock.now();
  try {
    return await call();
  } catch (error) {
    metrics.callErrors.add({ code: error instanceof IotmpError ? error.code : 'other' });
    throw error;
  } finally {
    metrics.callSeconds.observe((clock.now() - startedAt) / 1000);
  }
}
