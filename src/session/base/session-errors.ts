import { errorText, IotmpError } from '../../errors';

/** The state of a session: until CONNECT is answered with OK, until the session ends, and afterwards. */
export type SessionState = 'connecting' | 'open' | 'closed';

/** An error of this package for anything that was thrown. */
export function asIotmpError(error: unknown): IotmpError {
  if (error instanceof IotmpError) return error;
  return new IotmpError('IOTMP_ERR_HANDLER', errorText(error), { cause: error });
}

/** The error of a request that its caller gave up. */
export function abortedError(): IotmpError {
  return new IotmpError('IOTMP_ERR_ABORTED', 'the request was given up');
}

/** The error of an action that needs an open session. */
export function notOpenError(state: SessionState): IotmpError {
  const text = state === 'closed' ? 'the session has ended' : 'the session is not open yet';
  return new IotmpError('IOTMP_ERR_CLOSED', text);
}

/** The error of a request whose answer was too large to be read. */
export class UnreadAnswerError extends IotmpError {
  constructor(text: string) {
    super('IOTMP_ERR_TOO_LARGE', text);
  }
}

/** The error that ends a session whose transport was closed. */
export function connectionLost(cause: Error | undefined): IotmpError {
  if (cause instanceof IotmpError) return cause;
  const text = cause === undefined ? 'the peer closed the connection' : `connection lost: ${cause.message}`;
  return new IotmpError('IOTMP_ERR_CLOSED', text, { cause });
}
