import { BodyLimit, ConnectCode, FieldKey, MAX_ENCODED_SIZE, MAX_KEEP_ALIVE_S } from '../codec/constants';
import { IotmpError } from '../errors';
import type { ConnectRequest } from '../session/session';
import { isMap, type DeviceId, type Value } from '../types';
import { MAX_NAME_LENGTH } from './device-name';

/** What a CONNECT asks for. */
export interface ConnectIntent extends DeviceId {
  readonly credential: string;
  /** Keep-alive interval in ms, where the client named one. */
  readonly keepAliveMs: number | undefined;
  /** Largest body that the device accepts, in bytes. */
  readonly maxBodySize: number;
}

/** The one auth type that is not reserved. */
const CREDENTIALS = 0;

/**
 * Reads a CONNECT (`protocol.md` section 4.1).
 * @throws IotmpError IOTMP_ERR_AUTH or IOTMP_ERR_PROTOCOL, with a {@link ConnectCode} as its status
 */
export function parseConnect({ message, firstKey }: ConnectRequest): ConnectIntent {
  const { payload, parameters } = message;
  const options = isMap(parameters) ? parameters : {};
  // First, because the other types have other payloads.
  checkAuthType(isMap(parameters) ? options.at : olderAuthType(parameters));
  if (!Array.isArray(payload) || payload.length !== 3)
    throw badEncoding('[user, device, credential] expected');
  const [user, device, credential] = payload;
  if (typeof user !== 'string' || typeof device !== 'string' || typeof credential !== 'string') {
    throw badEncoding('user, device and credential must be strings');
  }
  if (device === '' || user.length > MAX_NAME_LENGTH || device.length > MAX_NAME_LENGTH) {
    throw badEncoding(`user and device have 1 to ${MAX_NAME_LENGTH} characters`);
  }
  const fromKind = firstKey === FieldKey.PAYLOAD ? BodyLimit.LINUX : BodyLimit.MICROCONTROLLER;
  return {
    user,
    device,
    credential,
    keepAliveMs: keepAliveOf(options.ka),
    maxBodySize: bodySizeOf(options.mm) ?? fromKind,
  };
}

/** In the older form the parameters are the type itself, and 1 is the number of credentials. */
function olderAuthType(parameters: Value | undefined): Value | undefined {
  return parameters === 1 ? CREDENTIALS : parameters;
}

function checkAuthType(type: Value | undefined): void {
  if (type === undefined || type === null || type === CREDENTIALS) return;
  throw new IotmpError('IOTMP_ERR_AUTH', 'this server takes user, device and credential only', {
    statusCode: ConnectCode.BAD_CREDENTIALS,
  });
}

function keepAliveOf(seconds: Value | undefined): number | undefined {
  if (seconds === undefined) return undefined;
  if (typeof seconds !== 'number' || !(seconds >= 1 && seconds <= MAX_KEEP_ALIVE_S)) {
    throw new IotmpError('IOTMP_ERR_PROTOCOL', `keep-alive must be 1 to ${MAX_KEEP_ALIVE_S} s`, {
      statusCode: ConnectCode.BAD_KEEP_ALIVE,
    });
  }
  return seconds * 1000;
}

/** Of a device that says it; a smaller one could not even be told of an error. */
function bodySizeOf(size: Value | undefined): number | undefined {
  if (size === undefined || size === null) return undefined;
  const bytes = typeof size === 'number' || typeof size === 'bigint' ? Number(size) : NaN;
  if (Number.isInteger(bytes) && bytes >= BodyLimit.SMALLEST) return Math.min(bytes, MAX_ENCODED_SIZE);
  throw badEncoding(`mm must be a whole number of ${BodyLimit.SMALLEST} bytes or more`);
}

function badEncoding(text: string): IotmpError {
  return new IotmpError('IOTMP_ERR_PROTOCOL', `CONNECT: ${text}`, { statusCode: ConnectCode.BAD_ENCODING });
}
