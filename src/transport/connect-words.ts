import { errorText, isError, systemCode } from '../errors';
import { hostAndPort } from './host-and-port';
import { tlsWords } from './tls-words';

/** Words for the codes of the system, where the text of the system says no more than the code. */
const SYSTEM_WORDS: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'nothing listens'],
  ['ENOTFOUND', 'there is no host of this name'],
  ['EAI_AGAIN', 'the name of the host cannot be looked up now'],
  ['ECONNRESET', 'the server closed the connection'],
  ['ETIMEDOUT', 'no answer'],
  ['EHOSTUNREACH', 'the host cannot be reached'],
  ['ENETUNREACH', 'the network cannot be reached'],
]);

/** Why a connection could not be made, for people: of all addresses of a name where several were tried. */
export function connectWords(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) {
    return cause.errors.map(connectWords).join('; ');
  }
  const code = systemCode(cause);
  const tls = tlsWords(cause);
  if (tls !== undefined) return `the server ${tls} (${code})`;
  const words = SYSTEM_WORDS.get(code);
  if (words !== undefined) return `${words}${placeOf(cause)} (${code})`;
  const text = errorText(cause);
  const [, status] = /^Unexpected server response: (\d+)$/.exec(text) ?? [];
  if (status !== undefined) return `the server has no WebSocket at this path (HTTP status ${status})`;
  return code === '' || text.includes(code) ? text : `${text} (${code})`;
}

/** The address that was tried, where it is known: a name may have several. */
function placeOf(cause: unknown): string {
  if (!(isError(cause) && 'address' in cause && 'port' in cause)) return '';
  const { address, port } = cause;
  return typeof address === 'string' && typeof port === 'number' ? ` at ${hostAndPort(address, port)}` : '';
}
