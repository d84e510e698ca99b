import { canonicalNumber, parseExactJson } from '../../codec/exact-json';
import { types } from 'node:util';
import type { Value } from '../../types';

/**
 * The payload of a message as bytes, for parties that know nothing else: a text and bytes as they are, null as none,
 * everything else as JSON. Within a map or a list, bytes are base64 and integers past 2^53 are texts.
 */
export function payloadToBytes(payload: Value): Buffer {
  if (payload === null) return Buffer.alloc(0);
  if (typeof payload === 'string' || typeof payload === 'bigint') return Buffer.from(String(payload));
  if (types.isUint8Array(payload)) return Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  return Buffer.from(JSON.stringify(jsonForm(payload)));
}

/**
 * The value that bytes mean: none is null, a map or a list in JSON is that, and so are a boolean and a number, where writing
 * them gives the same text again. Every other text stays as it is, and bytes that are no text are themselves.
 */
export function payloadFromBytes(bytes: Uint8Array): Value {
  if (bytes.length === 0) return null;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const text = utf8.tryDecode(buffer);
  return text === undefined ? buffer : valueOfText(text);
}

const utf8 = {
  decoder: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }),
  tryDecode(bytes: Uint8Array): string | undefined {
    try {
      return this.decoder.decode(bytes);
    } catch {
      // Bytes that are no valid text are a payload, too.
      return undefined;
    }
  },
};

/** An id of many digits, one with leading zeros, or a text in quotes must not become another text on its way. */
function valueOfText(text: string): Value {
  if (text === 'true' || text === 'false') return text === 'true';
  return canonicalNumber(text) ?? (CONTAINER.test(text) ? (tryParse(text) ?? text) : text);
}

const CONTAINER = /^\s*[[{]/;

function tryParse(text: string): Value | undefined {
  try {
    return parseExactJson(text) as Value;
  } catch {
    // A text that is no valid JSON is a payload, too.
    return undefined;
  }
}

function jsonForm(value: Value): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (types.isUint8Array(value)) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(jsonForm);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, jsonForm(item)]));
}
