import { bufferOver } from '../buffer-over';
import { FieldKey, MessageType } from '../constants';
import { skipVarint, varintSize } from '../varint';
import { writeVarint } from './number-writer';
import { acquireOutput } from './output-buffer';

/** Type, size, stream id, parameters and the key of the payload at their longest, in bytes. */
const FRAME_ROOM = 16;

/** Parameters of a STREAM_DATA that say: this is the resource's output, just as it stands (`protocol.md` section 6). */
export const OUTPUT_MARK = 2;

/** What the mark adds to a body, in bytes. */
export const MARK_SIZE = 2;

/** Size of the body of a STREAM_DATA without parameters, in bytes. */
export function streamDataSize(streamId: number, payload: Buffer): number {
  const payloadSize = payload.length === 0 ? 0 : 1 + payload.length;
  return 1 + varintSize(streamId) + payloadSize;
}

/**
 * A STREAM_DATA around a payload that has been encoded before, as `encodeMessage` writes it; an empty payload is none.
 *
 * @param mark whether the parameters say {@link OUTPUT_MARK}
 */
export function encodeStreamData(streamId: number, payload: Buffer, mark: boolean): Buffer {
  const size = streamDataSize(streamId, payload) + (mark ? MARK_SIZE : 0);
  const out = acquireOutput(size);
  try {
    const start = out.position;
    out.reserve(FRAME_ROOM + payload.length);
    out.bytes[out.position++] = MessageType.STREAM_DATA;
    writeVarint(out, size);
    out.bytes[out.position++] = FieldKey.STREAM_ID;
    writeVarint(out, streamId);
    if (mark) {
      out.bytes[out.position++] = FieldKey.PARAMETERS;
      out.bytes[out.position++] = OUTPUT_MARK;
    }
    if (payload.length > 0) {
      out.bytes[out.position++] = FieldKey.PAYLOAD;
      out.bytes.set(payload, out.position);
      out.position += payload.length;
    }
    return out.take(start);
  } finally {
    out.end();
  }
}

/** The encoded payload in a STREAM_DATA that was made by `encodeMessage` of a stream id and a payload. */
export function payloadOf(frame: Buffer): Buffer {
  const size = skipVarint(frame, 1);
  const streamId = skipVarint(frame, size + 1);
  const start = Math.min(streamId + 1, frame.length);
  return bufferOver(frame.buffer, frame.byteOffset + start, frame.length - start);
}
