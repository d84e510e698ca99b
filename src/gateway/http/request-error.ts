import { IotmpError } from '../../errors';

/** A request that is not well formed. */
export function badRequest(text: string, cause?: unknown): IotmpError {
  return new IotmpError('IOTMP_ERR_REQUEST', text, { cause });
}

/** A body of a kind that nobody here reads. */
export function unsupportedBody(text: string): IotmpError {
  return new IotmpError('IOTMP_ERR_REQUEST', text, { statusCode: 415 });
}

/** No token, or one that counts for nothing. */
export function unauthorized(text: string): IotmpError {
  return new IotmpError('IOTMP_ERR_AUTH', text);
}

/** A token that does not allow this. */
export function forbidden(text: string): IotmpError {
  return new IotmpError('IOTMP_ERR_FORBIDDEN', text);
}

/** There is nothing of that name. */
export function notFound(text: string): IotmpError {
  return new IotmpError('IOTMP_ERR_NOT_FOUND', text);
}

/** Something of that name is there already. */
export function conflict(text: string): IotmpError {
  return new IotmpError('IOTMP_ERR_CONFLICT', text);
}

/** Something of the platform that this server does not do. What it cannot do it does not take. */
export function notOffered(text: string): IotmpError {
  return new IotmpError('IOTMP_ERR_NOT_ALLOWED', text, { statusCode: 501 });
}

/** A bound of this server is reached for now. */
export function busy(text: string): IotmpError {
  return new IotmpError('IOTMP_ERR_BUSY', text);
}

/** The gateway is being closed. */
export function closed(): IotmpError {
  return new IotmpError('IOTMP_ERR_CLOSED', 'the server is being stopped');
}

/** Too many requests; see the header `Retry-After`. */
export function rateExceeded(retryAfterS: number): RateError {
  return new RateError(retryAfterS);
}

/** Too many requests in this time. */
export class RateError extends IotmpError {
  /** When to try again, in whole s. */
  readonly retryAfterS: number;

  constructor(retryAfterS: number) {
    super('IOTMP_ERR_RATE', `too many requests: try again in ${retryAfterS} s`);
    this.name = 'RateError';
    this.retryAfterS = retryAfterS;
  }
}
