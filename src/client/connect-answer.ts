import { ConnectCode, MessageType } from '../codec/constants';
import type { Message } from '../codec/message';
import { IotmpError, RemoteError } from '../errors';
import { isMap, type Value } from '../types';

/** What the server's answer to CONNECT means (`protocol.md` section 4.2). */
export type ConnectVerdict =
  | { readonly kind: 'accepted' }
  /** To the address in the payload. */
  | { readonly kind: 'redirected'; readonly payload: Value | undefined }
  /** The same CONNECT would be refused again. */
  | { readonly kind: 'refused'; readonly error: IotmpError }
  /** Another attempt may succeed. */
  | { readonly kind: 'failed'; readonly error: IotmpError };

/** Codes of HTTP that servers use in their place. */
const HttpCode = { UNAUTHORIZED: 401, FORBIDDEN: 403 } as const;

/** Reads the first message of a server, whatever its id. */
export function connectVerdict(answer: Message): ConnectVerdict {
  if (answer.type === MessageType.OK) return { kind: 'accepted' };
  if (answer.type !== MessageType.ERROR) {
    return failed(`the server answered CONNECT with a message of type ${answer.type}`);
  }
  const detail = detailOf(answer.payload);
  switch (answer.parameters) {
    case ConnectCode.REDIRECT:
      return { kind: 'redirected', payload: answer.payload };
    case ConnectCode.BAD_CREDENTIALS:
    case HttpCode.UNAUTHORIZED:
    case HttpCode.FORBIDDEN:
      return refused('IOTMP_ERR_AUTH', `the server refused user, device or credential${detail}`);
    case ConnectCode.BAD_KEEP_ALIVE:
      return refused('IOTMP_ERR_CONFIG', `the server refused the keep-alive interval${detail}`);
    case ConnectCode.BAD_ENCODING:
      return refused('IOTMP_ERR_PROTOCOL', `the server could not read CONNECT${detail}`);
    default:
      return { kind: 'failed', error: remoteError(answer, detail) };
  }
}

function refused(
  code: 'IOTMP_ERR_AUTH' | 'IOTMP_ERR_CONFIG' | 'IOTMP_ERR_PROTOCOL',
  text: string,
): ConnectVerdict {
  return { kind: 'refused', error: new IotmpError(code, text) };
}

function failed(text: string): ConnectVerdict {
  return { kind: 'failed', error: new IotmpError('IOTMP_ERR_PROTOCOL', text) };
}

function remoteError({ parameters, payload }: Message, detail: string): RemoteError {
  const code = typeof parameters === 'number' ? parameters : 500;
  return new RemoteError(`the server answered CONNECT with error ${code}${detail}`, code, payload);
}

/** The server's own words, where it gave some. */
function detailOf(payload: Value | undefined): string {
  const text = isMap(payload) ? (payload.error ?? payload.message) : payload;
  return typeof text === 'string' && text !== '' ? `: ${text}` : '';
}
