import type { AnswerRule } from '../harness/load-generator';
import { credentialOf, deviceName, USER } from './device-names';
import { answer, sample } from './sample';

/** First bytes of the MQTT 3.1.1 packets that are used; all at QoS 0. */
export const PacketType = { CONNECT: 0x10, PUBLISH: 0x30, SUBSCRIBE: 0x82, PINGREQ: 0xc0 } as const;

/** Topic of the answers of all devices. */
export const REPLY_TOPIC = 'reply';
/** Answers that can be told apart by their topics alone come under it and the number of their call. */
export const KEYED_REPLIES = `${REPLY_TOPIC}/#`;
/** Samples that one subscription takes come under it. */
export const SAMPLES = 'bench/#';
/** Topic of the stream that goes out to many. */
export const FEED_TOPIC = 'feed';
/** A call carries a number of so many digits at its end, which the answer repeats at its begin. */
export const CORRELATION_DIGITS = 8;

/** Topic under which a device is called: eight characters. */
export function callTopic(index: number): string {
  return `c${deviceName(index).slice(-6)}/`;
}

/** Topic under which a device publishes: eight characters. */
export function sampleTopic(index: number): string {
  return `t${deviceName(index).slice(-6)}/`;
}

/** Topic below {@link SAMPLES} of one of up to 100 devices: eight characters. */
export function groupedTopic(index: number): string {
  return `bench/${deviceName(index).slice(-2)}`;
}

/** Logs a client in, with a clean session. */
export function connectPacket(index: number, keepAliveS = 60): Buffer {
  const head = Buffer.from([0x04, 0xc2, keepAliveS >> 8, keepAliveS & 0xff]);
  const texts = [deviceName(index), USER, credentialOf(index)].map(text);
  return packet(PacketType.CONNECT, text('MQTT'), head, ...texts);
}

/** Logs a client in without user and password. */
export function anonymousPacket(index: number, keepAliveS: number): Buffer {
  const head = Buffer.from([0x04, 0x02, keepAliveS >> 8, keepAliveS & 0xff]);
  return packet(PacketType.CONNECT, text('MQTT'), head, text(deviceName(index)));
}

export function subscribePacket(topic: string): Buffer {
  return packet(PacketType.SUBSCRIBE, Buffer.from([0, 1]), text(topic), Buffer.from([0]));
}

/** Body of a PUBLISH with the sample. */
export function publishBody(topic: string): Buffer {
  return Buffer.concat([text(topic), Buffer.from(JSON.stringify(sample))]);
}

/** Answers a call under a topic that ends with the number of the call. */
export const answerKeyedCall: AnswerRule = {
  type: PacketType.PUBLISH,
  mask: 0xf0,
  part: CORRELATION_DIGITS,
  answerType: PacketType.PUBLISH,
  head: text(`${REPLY_TOPIC}/${'0'.repeat(CORRELATION_DIGITS)}`).subarray(0, -CORRELATION_DIGITS),
  tail: Buffer.from(JSON.stringify(answer)),
};

/** Answers a call: the number of the call, and the answer. */
export const answerCall: AnswerRule = {
  type: PacketType.PUBLISH,
  mask: 0xf0,
  part: CORRELATION_DIGITS,
  answerType: PacketType.PUBLISH,
  head: text(REPLY_TOPIC),
  tail: Buffer.from(JSON.stringify(answer)),
};

/** A call of a device by another client: nothing but its number. */
export function relayedCallPacket(device: number, call: number): Buffer {
  const number = String(call).padStart(CORRELATION_DIGITS, '0');
  return packet(PacketType.PUBLISH, text(callTopic(device)), Buffer.from(number));
}

/** Answers a call that another client makes: the number comes last, as in the call. */
export const answerRelayedCall: AnswerRule = {
  type: PacketType.PUBLISH,
  mask: 0xf0,
  part: CORRELATION_DIGITS,
  answerType: PacketType.PUBLISH,
  head: Buffer.concat([text(REPLY_TOPIC), Buffer.from(JSON.stringify(answer))]),
  who: 'rest',
};

/** Calls a device again, under the number of the answer. */
export function publishAgain(device: number): AnswerRule {
  return {
    type: PacketType.PUBLISH,
    mask: 0xf0,
    part: CORRELATION_DIGITS,
    answerType: PacketType.PUBLISH,
    head: text(callTopic(device)),
    who: 'first',
  };
}

function packet(type: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([type]), varint(body.length), body]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
