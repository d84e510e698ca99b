import { FieldId, MessageType, ServiceCode, WireType } from '../../src/codec/constants';
import { encodeMessage } from '../../src/codec/writing/message-encoder';
import { encodeValue } from '../../src/codec/writing/pson-encoder';
import type { AnswerRule } from '../harness/load-generator';
import { credentialOf, deviceName, USER } from './device-names';
import { answer, sample } from './sample';

/** Key of a payload field. */
const PAYLOAD_KEY = (FieldId.PAYLOAD << 3) | WireType.PSON;

/** Resource that devices stream and answer. */
export const RESOURCE = 'temperature';

/** One of many resources of a device; all names are of one length. */
export function resourceName(index: number): string {
  return `r${String(index).padStart(3, '0')}`;
}

/** Resource of the server that devices subscribe to. */
export const OFFERED = 'sample';

export { MessageType };

/** A payload field, as it stands behind the stream id. */
export function payloadField(value: unknown): Buffer {
  return Buffer.concat([Buffer.from([PAYLOAD_KEY]), encodeValue(value)]);
}

/** Logs a device in. */
export function connectMessage(index: number): Buffer {
  const payload = [USER, deviceName(index), credentialOf(index)];
  return encodeMessage({ type: MessageType.CONNECT, streamId: 1, payload });
}

/** Lets a device in. */
export function welcomeMessage(): Buffer {
  return encodeMessage({ type: MessageType.OK, streamId: 1 });
}

/** Subscribes a device to a resource of the server. */
export function subscribeMessage(resource: string): Buffer {
  return encodeMessage({ type: MessageType.START_STREAM, streamId: 1, resource });
}

export function keepAliveMessage(): Buffer {
  return encodeMessage({ type: MessageType.KEEP_ALIVE });
}

/** Body of a sample without its stream id, which the server chooses. */
export function sampleBody(): Buffer {
  return payloadField(sample);
}

/** A whole sample under a stream id of three bytes, as a limit without a handshake reads it. */
export function rawSample(): Buffer {
  return encodeMessage({ type: MessageType.STREAM_DATA, streamId: 20_000, payload: sample });
}

/** Answers a server that opens a stream, and keeps its id. */
export const acceptStream: AnswerRule = {
  type: MessageType.START_STREAM,
  part: 'field',
  answerType: MessageType.OK,
  captures: true,
};

/** Answers a call of the resource. */
export const answerRun: AnswerRule = {
  type: MessageType.RUN,
  part: 'field',
  answerType: MessageType.OK,
  tail: payloadField(answer),
};

/** Answers a server that asks what the device hosts. */
export const answerDescribe: AnswerRule = describing([RESOURCE]);

/** Answers a server that asks what the device hosts: outputs of these names. */
export function describing(outputs: readonly string[]): AnswerRule {
  return {
    type: MessageType.DESCRIBE,
    part: 'field',
    answerType: MessageType.OK,
    tail: payloadField(Object.fromEntries(outputs.map((name) => [name, { fn: 3 }]))),
  };
}

/** A call under a stream id. */
export function rawCall(streamId: number): Buffer {
  return encodeMessage({ type: MessageType.RUN, streamId, resource: RESOURCE });
}

/** A call of the resource of another device, through the server. */
export function relayedCall(streamId: number | undefined, device: number): Buffer {
  const parameters = [deviceName(device), RESOURCE];
  return encodeMessage({ type: MessageType.RUN, streamId, parameters, resource: ServiceCode.CALL_DEVICE });
}

/** Calls the resource of another device again, under the id of the answer. */
export function callAgain(device: number): AnswerRule {
  return {
    type: MessageType.OK,
    part: 'field',
    answerType: MessageType.RUN,
    // What stands behind type, size and stream id.
    tail: relayedCall(undefined, device).subarray(2),
    who: 'first',
  };
}
