import { flowValue } from '../flow/flow-value';
import { isError, IotmpError, RemoteError } from '../../../src';

/** Longest text of a status: more of it does not fit beside a node. */
const MAX_STATUS_LENGTH = 40;

/**
 * An error as flows see it in a Catch node: message, `code`, and for the answer of a device a `cause` of plain
 * data, because Node-RED hands on nothing else of an error.
 */
export function nodeError(error: unknown): Error {
  if (error instanceof RemoteError) {
    Object.defineProperty(error, 'cause', {
      value: { statusCode: error.statusCode, payload: flowValue(error.payload) },
      enumerable: false,
      configurable: true,
    });
    return error;
  }
  return isError(error) ? error : new IotmpError('IOTMP_ERR_HANDLER', String(error));
}

/** What went wrong, short enough for a status. */
export function statusReason(error: unknown): string {
  const { message } = nodeError(error);
  return message.length <= MAX_STATUS_LENGTH ? message : `${message.slice(0, MAX_STATUS_LENGTH - 1)}…`;
}
