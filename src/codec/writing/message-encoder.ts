import { FieldKey, MAX_ENCODED_SIZE, MAX_STREAM_ID } from '../constants';
import { varintSize } from '../varint';
import { encodeError, EncodeFailure } from './encode-failure';
import { writeVarint } from './number-writer';
import { acquireOutput, tooLarge, type OutputBuffer } from './output-buffer';
import { writeRoot } from './value-writer';

/** A type is sent as one byte (`protocol.md` section 1). */
const MAX_TYPE = 127;
/** Devices read a varint field as 32 bits (`protocol.md` section 2). */
const MAX_VARINT_FIELD = 2 ** 32 - 1;
/** Bytes kept free in front of a body: one for the type, up to four for the size. */
const HEADER_ROOM = 5;

/** A message to be sent (`protocol.md` sections 1 and 2). `undefined` is an absent field, `null` is PSON null. */
export interface OutgoingMessage {
  /** 1..127. */
  type: number;
  /** 0..65535. */
  streamId?: number | undefined;
  parameters?: unknown;
  payload?: unknown;
  resource?: unknown;
}

/**
 * Encodes a message: header and body in one piece, fields in the order of their ids (`protocol.md` sections 1 and 2).
 * A numeric resource of up to 32 bits is a varint; parameters and payload are PSON always, as devices cannot read large
 * or negative integers otherwise.
 *
 * @param maxBodySize largest body that the peer takes, in bytes.
 * @throws IotmpError `IOTMP_ERR_ENCODE` for what PSON cannot carry, naming its path (`payload.a[2]`), and for a type or
 * stream id out of range; `IOTMP_ERR_TOO_LARGE` when the body passes `maxBodySize`.
 */
export function encodeMessage(message: OutgoingMessage, maxBodySize = MAX_ENCODED_SIZE): Buffer {
  const { type, streamId, parameters, payload, resource } = message;
  const out = acquireOutput(maxBodySize);
  let root = 'message';
  try {
    const body = out.position + HEADER_ROOM;
    out.position = body;
    root = 'streamId';
    if (streamId !== undefined) writeStreamId(out, streamId);
    root = 'parameters';
    if (parameters !== undefined) writeField(out, FieldKey.PARAMETERS, parameters);
    root = 'payload';
    if (payload !== undefined) writeField(out, FieldKey.PAYLOAD, payload);
    root = 'resource';
    if (resource !== undefined) writeResource(out, resource);
    root = 'type';
    const size = out.position - body;
    if (size > maxBodySize) throw tooLarge(maxBodySize);
    return out.take(writeHeader(out, type, body, size));
  } catch (error) {
    throw encodeError(root, error);
  } finally {
    out.end();
  }
}

/** Writes the header so that it ends where the body begins; returns where it starts. */
function writeHeader(out: OutputBuffer, type: number, body: number, size: number): number {
  if (!(Number.isInteger(type) && type > 0 && type <= MAX_TYPE)) throw new EncodeFailure('not in 1..127');
  const end = out.position;
  const start = body - varintSize(size) - 1;
  out.bytes[start] = type;
  out.position = start + 1;
  writeVarint(out, size);
  out.position = end;
  return start;
}

function writeStreamId(out: OutputBuffer, streamId: number): void {
  if (!(Number.isInteger(streamId) && streamId >= 0 && streamId <= MAX_STREAM_ID)) {
    throw new EncodeFailure(`not in 0..${MAX_STREAM_ID}`);
  }
  out.bytes[out.position++] = FieldKey.STREAM_ID;
  writeVarint(out, streamId);
}

function writeField(out: OutputBuffer, key: number, value: unknown): void {
  out.ensure();
  out.bytes[out.position++] = key;
  writeRoot(out, value);
}

function writeResource(out: OutputBuffer, resource: unknown): void {
  const isShort = typeof resource === 'number' && Number.isInteger(resource) && resource >= 0;
  if (!isShort || resource > MAX_VARINT_FIELD) {
    writeField(out, FieldKey.RESOURCE, resource);
    return;
  }
  out.ensure();
  out.bytes[out.position++] = FieldKey.NUMERIC_RESOURCE;
  writeVarint(out, resource);
}
