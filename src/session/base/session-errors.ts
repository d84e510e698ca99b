import { errorText, IotmpError } from '../../errors';

/** Where a session stands: before CONNECT was answered with OK, until it ends, and after that. */
export type SessionState = 'connecting' | 'open' | 'closed';

/** What was thrown, as an error of this package. */
export function asIotmpError(error: unknown): IotmpError {
  if (error instanceof IotmpError) return error;
  return new IotmpError('IOTMP_ERR_HANDLER', errorText(error), { cause: error });
}

/** Of a request whose caller gave it up. */
export function abortedError(): IotmpError {
  return new IotmpError('IOTMP_ERR_ABORTED', 'the request was given up');
}

/** Of what needs an open session. */
export function notOpenError(state: SessionState): IotmpError {
  const text = state === 'closed' ? 'the session has ended' : 'the session is not open yet';
  return new IotmpError('IOTMP_ERR_CLOSED', text);
}

/** Why a connection ended, from what the transport says. */
export function connectionLost(cause: Error | undefined): IotmpError {
  if (cause instanceof IotmpError) return cause;
  const text = cause === undefined ? 'the peer closed the connection' : `connection lost: ${cause.message}`;
  return new IotmpError('IOTMP_ERR_CLOSED', text, { cause });
}
