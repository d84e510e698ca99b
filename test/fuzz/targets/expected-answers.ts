import { MessageType } from '../../../src/codec/constants';
import { decodeMessage } from '../../../src/codec/reading/message-decoder';
import { DecodeError, IotmpError } from '../../../src/errors';
import { FrameDecoder } from '../../../src/framing/frame-decoder';

const { OK, ERROR, CONNECT, DISCONNECT, RUN, DESCRIBE, START_STREAM, STOP_STREAM, STREAM_DATA } = MessageType;
const REQUESTS: readonly number[] = [CONNECT, RUN, DESCRIBE, START_STREAM, STOP_STREAM];
/** Those that are not answered even when they do not decode. */
const ANSWERS: readonly number[] = [OK, ERROR, STREAM_DATA];
/** As much as a session skips, in bytes. */
const MAX_BODY = 64 * 2 ** 20;

/** Messages by id, and how many of them there are. */
export type Counts = Map<number, number>;

/** How often each id of some bytes wants an answer of an open session. */
export function requestsIn(bytes: Buffer): Counts {
  const counts: Counts = new Map();
  const frames = new FrameDecoder(MAX_BODY, {
    handleFrame: (type, chunk, start, end) => count(counts, wantedId(type, chunk, start, end)),
  });
  frames.push(bytes);
  return counts;
}

/** How often each id was answered. */
export function answersIn(messages: readonly Buffer[]): Counts {
  const counts: Counts = new Map();
  const frames = new FrameDecoder(MAX_BODY, {
    handleFrame: (type, chunk, start, end) => {
      const message = decodeMessage(type, chunk, start, end);
      if (type === OK || type === ERROR) count(counts, message.streamId);
    },
  });
  for (const message of messages) frames.push(message);
  return counts;
}

/** Whether the bytes end within a message, so that the next bytes belong to it. Bytes that break the framing end nowhere. */
export function endsWithin(bytes: Buffer): boolean {
  const frames: string[] = [];
  const decoder = new FrameDecoder(MAX_BODY, {
    handleFrame: (type, _chunk, start, end) => void frames.push(`${type} ${end - start}`),
  });
  try {
    decoder.push(Buffer.concat([bytes, Buffer.of(DISCONNECT, 0)]));
  } catch (error) {
    if (error instanceof IotmpError) return false;
    throw error;
  }
  return frames.at(-1) !== `${DISCONNECT} 0`;
}

/** The id under which an answer is wanted: of a request, or of another message that does not decode. */
function wantedId(type: number, chunk: Buffer, start: number, end: number): number | undefined {
  if (ANSWERS.includes(type) || type > STREAM_DATA) return undefined;
  try {
    const { streamId } = decodeMessage(type, chunk, start, end);
    return REQUESTS.includes(type) ? streamId : undefined;
  } catch (error) {
    if (error instanceof DecodeError) return error.streamId;
    throw error;
  }
}

function count(counts: Counts, id: number | undefined): void {
  if (id !== undefined && id !== 0) counts.set(id, (counts.get(id) ?? 0) + 1);
}
