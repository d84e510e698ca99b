import { types } from 'node:util';
import type { z } from 'zod';
import { isMap, type Value } from '../../types';
import { badRequest } from '../http/request-error';
import { parseJson, toJson } from '../http/json-text';

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads a frame of a client.
 * @throws IotmpError IOTMP_ERR_REQUEST when it is not JSON of this form
 */
export function readFrame<T>(data: Buffer, schema: z.ZodType<T>): T {
  const { success, data: frame, error } = schema.safeParse(parseJson(textOf(data)));
  if (success) return frame;
  throw badRequest(`the frame is not usable: ${error.issues[0]?.message ?? ''}`);
}

/** The frame of a sample (`platform-api.md` section 2.1). */
export function sampleFrame(resource: string, payload: Value | undefined): string {
  return `{"resource":${JSON.stringify(resource)},"signal":"data","payload":${toJson(payload)}}`;
}

/** The bytes of a sample where a socket carries nothing else: text as it is, everything else as JSON. */
export function rawSample(payload: Value | undefined): Uint8Array {
  if (types.isUint8Array(payload)) return payload;
  if (typeof payload === 'string') return Buffer.from(payload);
  return Buffer.from(payload === undefined ? '' : toJson(payload));
}

/** The value that a client means: `{"bytes":[...]}`, as bytes are shown here, are bytes. */
export function frameValue(payload: unknown): unknown {
  if (!isPlain(payload) || Object.keys(payload).length !== 1) return payload;
  const { bytes } = payload;
  return Array.isArray(bytes) && bytes.every(isByte) ? Buffer.from(bytes.map(Number)) : payload;
}

function isPlain(payload: unknown): payload is Record<string, Value> {
  return typeof payload === 'object' && payload !== null && isMap({ ...payload });
}

function isByte(item: unknown): boolean {
  return typeof item === 'number' && Number.isInteger(item) && item >= 0 && item <= 255;
}

function textOf(data: Buffer): string {
  try {
    return UTF8.decode(data);
  } catch (error) {
    throw badRequest('the frame is not UTF-8', error);
  }
}
