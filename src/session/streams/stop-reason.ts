import { MessageType } from '../../codec/constants';
import type { Message } from '../../codec/message';
import type { OutgoingMessage } from '../../codec/writing/message-encoder';
import { IotmpError, RemoteError } from '../../errors';
import { errorAnswer } from '../base/error-answer';
import { toldReason } from '../requests/reply';

/** The STOP_STREAM of a stream that does not end in good order: with a code and a text, as an ERROR has them. */
export function stopMessage(streamId: number, reason: IotmpError): OutgoingMessage {
  return { ...errorAnswer(streamId, reason), type: MessageType.STOP_STREAM };
}

/** What a STOP_STREAM of the peer complains of; `undefined` when the stream ended in good order. */
export function complaintOf({ parameters, payload }: Message): RemoteError | undefined {
  if (typeof parameters !== 'number' || !Number.isSafeInteger(parameters) || parameters < 400)
    return undefined;
  return new RemoteError(
    toldReason(payload) ?? `the peer ended the stream (${parameters})`,
    parameters,
    payload,
  );
}

/** The reason of a stream whose connection has ended. */
export function streamLost(cause: IotmpError): IotmpError {
  const { statusCode } = cause;
  return new IotmpError('IOTMP_ERR_OFFLINE', `the connection has ended: ${cause.message}`, {
    cause,
    statusCode,
  });
}
