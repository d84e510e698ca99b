import { MessageType } from '../../codec/constants';
import type { Message } from '../../codec/message';
import { RemoteError } from '../../errors';
import { isMap, type Value } from '../../types';

/** The peer's answer to a request. */
export interface Reply {
  readonly payload: Value | undefined;
  /** The code in the answer's parameters, 200 without one (`protocol.md` section 5). */
  readonly statusCode: number;
  /** The answer's parameters as they came. */
  readonly parameters: Value | undefined;
}

/** How long a request may wait, and who may give it up. */
export interface RequestOptions {
  /** Time for the answer, in ms. Default: `requestTimeoutMs` of the session. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a call carries beside its resource. */
export interface CallOptions extends RequestOptions {
  readonly payload?: unknown;
  readonly parameters?: unknown;
}

/**
 * The reply that an OK or ERROR carries.
 * @throws RemoteError for an ERROR, and for an OK with a code of 400 or more
 */
export function replyOf({ type, parameters, payload }: Message): Reply {
  const fallback = type === MessageType.ERROR ? 500 : 200;
  const isCode = typeof parameters === 'number' && Number.isSafeInteger(parameters);
  const reply = { payload, statusCode: isCode ? parameters : fallback, parameters };
  if (type === MessageType.ERROR || reply.statusCode >= 400) throw remoteError(reply);
  return reply;
}

/** The code of devices and servers for a resource that they do not have. */
const NO_RESOURCE = 404;
const NO_REASON = 'the peer answered with an error and no reason: it may have no such resource';

/** The text that comes with an error: `{"error": text}`, of streams `{"message": text}` (`protocol.md` section 5). */
export function toldReason(payload: Value | undefined): string | undefined {
  if (!isMap(payload)) return undefined;
  const detail = payload.error ?? payload.message;
  return typeof detail === 'string' ? detail : undefined;
}

function remoteError({ payload, statusCode, parameters }: Reply): RemoteError {
  const isBare = parameters === undefined && payload === undefined;
  const text = toldReason(payload) ?? (isBare ? NO_REASON : bareText(statusCode));
  return new RemoteError(text, statusCode, payload);
}

/** The text of an error that came without one. */
function bareText(statusCode: number): string {
  if (statusCode === NO_RESOURCE) return `the peer has no such resource (${statusCode})`;
  return `the peer answered with an error (${statusCode})`;
}
