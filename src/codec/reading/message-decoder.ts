import { DecodeError } from '../../errors';
import type { Value } from '../../types';
import { FieldId, MAX_STREAM_ID, WireType } from '../constants';
import type { DecodeOptions } from './decode-options';
import { Input } from './input';
import { Message } from '../message';
import { readRoot } from './value-reader';
import { readFieldInteger, readVarint } from './varint-reader';

export type { DecodeOptions } from './decode-options';

/** Larger keys are of fields that nobody knows. */
const MAX_SMALL_KEY = 127;

const input = new Input();

/**
 * Decodes the body `bytes[start, end)` of a message of that type (`protocol.md` section 2). Byte values share the
 * memory of `bytes`.
 *
 * @throws DecodeError for a body that breaks the rules; its `streamId` is set if it was read before the fault, and its
 * `offset` counts from `start`.
 */
export function decodeMessage(
  type: number,
  bytes: Buffer,
  start: number,
  end: number,
  options?: DecodeOptions,
): Message {
  input.begin(bytes, start, end, options);
  let streamId: number | undefined;
  let parameters: Value | undefined;
  let payload: Value | undefined;
  let resource: Value | undefined;
  try {
    while (input.remaining > 0) {
      const keyAt = input.position;
      const key = readVarint(input);
      const value = readField(key, keyAt);
      switch (fieldOf(key)) {
        case FieldId.STREAM_ID:
          streamId = asStreamId(value, keyAt);
          break;
        case FieldId.PARAMETERS:
          parameters = value;
          break;
        case FieldId.PAYLOAD:
          payload = value;
          break;
        case FieldId.RESOURCE:
          resource = value;
          break;
        default: // An unknown field is skipped: a later version of the protocol may have it.
      }
    }
  } catch (error) {
    if (error instanceof DecodeError) error.streamId = streamId;
    throw error;
  }
  input.finish(options);
  return new Message(type, streamId, parameters, payload, resource);
}

/** The field id; zero, which is unknown as well, for a key that no small integer holds. */
function fieldOf(key: number | bigint): number {
  return typeof key === 'number' && key <= MAX_SMALL_KEY ? key >> 3 : 0;
}

function readField(key: number | bigint, keyAt: number): Value {
  const wireType = typeof key === 'number' ? key & 7 : Number(key & 7n);
  if (wireType === WireType.PSON) return readRoot(input);
  if (wireType === WireType.VARINT) return readFieldInteger(input);
  throw input.error(`wire type ${wireType}`, keyAt);
}

function asStreamId(value: Value, keyAt: number): number {
  const isId = typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_STREAM_ID;
  if (!isId) throw input.error('stream id', keyAt);
  return value;
}
