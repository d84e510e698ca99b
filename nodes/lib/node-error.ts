import { IotmpError, RemoteError } from '../../src';

/**
 * An error as flows see it in a Catch node: message, `code`, and for the answer of a device a `cause` of plain
 * data, because Node-RED hands on nothing else of an error.
 */
export function nodeError(error: unknown): Error {
  if (error instanceof RemoteError) {
    Object.defineProperty(error, 'cause', {
      value: { statusCode: error.statusCode, payload: error.payload },
      enumerable: false,
      configurable: true,
    });
    return error;
  }
  return error instanceof Error ? error : new IotmpError('IOTMP_ERR_HANDLER', String(error));
}
