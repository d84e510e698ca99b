import { MessageType } from '../../codec/constants';
import type { OutgoingMessage } from '../../codec/writing/message-encoder';
import { IotmpError, publicText } from '../../errors';

/** Longest text of an error that a peer is told, in characters: ASCII fits into the smallest body limit. */
const MAX_TEXT = 512;

/** A request without an id, or with id 0, wants no answer (`protocol.md` section 2). */
export function isAnswerWanted({ streamId }: Pick<OutgoingMessage, 'streamId'>): boolean {
  return streamId !== undefined && streamId !== 0;
}

/**
 * The ERROR that tells a peer of a failure: its status in the parameters, its text as `{"error": text}`
 * (`protocol.md` section 5). Whatever was thrown, it can be encoded.
 */
export function errorAnswer(
  streamId: number | undefined,
  error: unknown,
  statusCode = error instanceof IotmpError ? error.statusCode : 500,
): OutgoingMessage {
  const payload = { error: publicText(error).slice(0, MAX_TEXT) };
  return { type: MessageType.ERROR, streamId, parameters: statusCode, payload };
}
