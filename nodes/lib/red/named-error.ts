import { IotmpError, RemoteError, StorageError } from '../../../src';
import { nodeError } from './node-error';

/**
 * An error that says in its text what it is about, such as `ada/pump/level: no answer within 10 s`. Code and cause stay.
 * The error itself is left as it is: others may have the same one.
 * @param name blank leaves the text as it is
 */
export function namedError(error: unknown, name: string): Error {
  const known = nodeError(error);
  if (name === '' || known.message.startsWith(name)) return known;
  const text = `${name}: ${known.message}`;
  if (known instanceof RemoteError) {
    return nodeError(new RemoteError(text, known.statusCode, known.payload));
  }
  if (known instanceof StorageError) return new StorageError(known.reason, text, { cause: known });
  const code = known instanceof IotmpError ? known.code : 'IOTMP_ERR_HANDLER';
  const statusCode = known instanceof IotmpError ? { statusCode: known.statusCode } : {};
  return new IotmpError(code, text, { cause: known.cause ?? known, ...statusCode });
}
