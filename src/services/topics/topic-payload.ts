import type { Value } from '../../types';

/**
 * The payload of a message as bytes, for parties that know nothing else: a text and bytes as they are, null as none,
 * everything else as JSON. In JSON, bytes are base64 and integers past 2^53 are texts.
 */
export function payloadToBytes(payload: Value): Buffer {
  if (payload === null) return Buffer.alloc(0);
  if (typeof payload === 'string') return Buffer.from(payload);
  if (payload instanceof Uint8Array) return Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  return Buffer.from(JSON.stringify(jsonForm(payload)));
}

/** The value that bytes mean: none is null, else JSON where they are that, else a text, else themselves. */
export function payloadFromBytes(bytes: Uint8Array): Value {
  if (bytes.length === 0) return null;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const text = utf8.tryDecode(buffer);
  return text === undefined ? buffer : (tryParse(text) ?? text);
}

const utf8 = {
  decoder: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }),
  tryDecode(bytes: Uint8Array): string | undefined {
    try {
      return this.decoder.decode(bytes);
    } catch {
      // Bytes that are no text are a payload, too.
      return undefined;
    }
  },
};

/** What `null` in JSON means is no message, so the text is kept for it. */
function tryParse(text: string): Value | undefined {
  try {
    const value = JSON.parse(text) as Value;
    return value ?? undefined;
  } catch {
    // A text that is no JSON is a payload, too.
    return undefined;
  }
}

function jsonForm(value: Value): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(jsonForm);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, jsonForm(item)]));
}
