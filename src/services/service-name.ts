import { IotmpError } from '../errors';
import type { Value } from '../types';

const NAME = /^[A-Za-z0-9_.-]{1,64}$/;

/**
 * Checks the name of a property, bucket, endpoint or lock: 1 to 64 of the characters `A-Z a-z 0-9 _ . -`.
 * @throws IotmpError IOTMP_ERR_PROTOCOL
 */
export function serviceName(parameters: Value | undefined): string {
  if (typeof parameters !== 'string') throw badRequest('a name is missing');
  if (!NAME.test(parameters))
    throw badRequest('a name has 1 to 64 letters, digits, dots, dashes or underscores');
  return parameters;
}

/** The error for a malformed request of a device or a program. */
export function badRequest(text: string): IotmpError {
  return new IotmpError('IOTMP_ERR_PROTOCOL', text);
}
