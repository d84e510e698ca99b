import { IotmpError } from '../errors';
import type { CallOptions } from '../session/requests/reply';
import type { ClientStreamListener } from './client-stream';

/** What a stream is opened with (`protocol.md` section 6). */
export interface ClientStreamOptions {
  /** Parameters of START_STREAM. */
  readonly parameters?: unknown;
  readonly payload?: unknown;
  /** Time between samples, in ms; joins the parameters as `interval`. 0 or absent: as the other side decides. */
  readonly intervalMs?: number | undefined;
}

/**
 * The fields of the START_STREAM that the options ask for.
 * @throws IotmpError IOTMP_ERR_CONFIG for a bad interval, or one beside parameters that are no map
 */
export function startFields(options: ClientStreamOptions): CallOptions {
  const { payload, parameters, intervalMs = 0 } = options;
  if (!Number.isInteger(intervalMs) || intervalMs < 0) {
    throw new IotmpError(
      'IOTMP_ERR_CONFIG',
      `intervalMs must be a whole number of 0 or more, not ${intervalMs}`,
    );
  }
  if (intervalMs === 0) return { payload, parameters };
  return { payload, parameters: { ...asMap(parameters), interval: intervalMs } };
}

function asMap(parameters: unknown): object {
  if (parameters === undefined || parameters === null) return {};
  if (typeof parameters !== 'object' || Array.isArray(parameters) || ArrayBuffer.isView(parameters)) {
    throw new IotmpError('IOTMP_ERR_CONFIG', 'parameters beside intervalMs must be a map');
  }
  return parameters;
}

/**
 * Checks a listener: a program without types learns it here, and not from each sample.
 * @throws IotmpError IOTMP_ERR_CONFIG
 */
export function checkListener(listener: ClientStreamListener): void {
  if (typeof listener.onSample === 'function') return;
  throw new IotmpError('IOTMP_ERR_CONFIG', 'the listener of a stream is an object with a function onSample');
}
