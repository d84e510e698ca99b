import { ServiceCode } from '../../codec/constants';
import { IotmpError } from '../../errors';

/**
 * How a stream treats what one end sends faster than the other end takes it. The kind is decided once, where the stream is
 * opened.
 *
 * - `samples`: the newest counts. An older one gives way, and is counted.
 * - `messages`: events and topics, which have many readers. None of them stops a publisher.
 * - `conversation`: nothing is lost and nothing changes places, in either direction. The fast end is stopped.
 */
export type StreamKind = 'samples' | 'messages' | 'conversation';

/**
 * The kind of a stream on this resource with these parameters. A plain stream has samples. A stream with parameters of its
 * own, or on a resource whose name begins with `$`, is a conversation.
 */
export function streamKind(resource: unknown, parameters: unknown): StreamKind {
  if (resource === ServiceCode.SUBSCRIBE_EVENT) return 'messages';
  if (isSessionName(resource)) return 'conversation';
  return isPlain(parameters) ? 'samples' : 'conversation';
}

/** Whether a resource is a session, such as `$terminal/1`: its name belongs to whoever has it open. */
export function isSessionName(resource: unknown): boolean {
  const first: unknown = Array.isArray(resource) ? resource[0] : resource;
  return typeof first === 'string' && first.startsWith('$');
}

/** The error of whoever wants a session that somebody else has open. */
export function sessionInUse(name: string): IotmpError {
  return new IotmpError('IOTMP_ERR_CONFLICT', `the session ${name} is in use`);
}

function isPlain(parameters: unknown): boolean {
  if (parameters === undefined || parameters === null || typeof parameters === 'number') return true;
  if (typeof parameters !== 'object' || Array.isArray(parameters)) return false;
  return Object.keys(parameters).every((name) => name === 'interval');
}
