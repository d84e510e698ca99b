import { MessageType } from '../codec/constants';
import type { OutgoingMessage } from '../codec/message-encoder';
import { IotmpError, publicText } from '../errors';

/** Longest text of an error that a peer is told, in characters: it fits into the smallest body limit. */
const MAX_TEXT = 512;

/**
 * The ERROR that tells a peer of a failure: its status in the parameters, its text as `{"error": text}`
 * (`protocol.md` section 5). It can always be sent, whatever was thrown.
 */
export function errorAnswer(
  streamId: number | undefined,
  error: unknown,
  statusCode = error instanceof IotmpError ? error.statusCode : 500,
): OutgoingMessage {
  const payload = { error: publicText(error).slice(0, MAX_TEXT) };
  return { type: MessageType.ERROR, streamId, parameters: statusCode, payload };
}
