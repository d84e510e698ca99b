/** An encoding that takes part. Text stays text: JSON is spared the way to bytes. */
export interface Codec {
  readonly encode: (document: unknown) => string | Uint8Array;
  readonly decode: (encoded: string | Uint8Array) => unknown;
}

/** Names of the codecs; the first one is ours. */
export const codecNames = ['iotmp', 'JSON', 'msgpackr', 'cbor-x'] as const;
export type CodecName = (typeof codecNames)[number];

/** Loads one codec, and only that one. */
export async function loadCodec(name: CodecName): Promise<Codec> {
  switch (name) {
    case 'iotmp': {
      const { encodeValue, decodeValue } = await import('../../src/index.js');
      return { encode: encodeValue, decode: (encoded) => decodeValue(asBytes(encoded)) };
    }
    case 'JSON':
      return { encode: toJson, decode: (encoded) => fromJson(String(encoded)) };
    case 'msgpackr': {
      const { pack, unpack } = await import('msgpackr');
      return { encode: pack, decode: (encoded) => unpack(asBytes(encoded)) as unknown };
    }
    case 'cbor-x': {
      const { encode, decode } = await import('cbor-x');
      return { encode, decode: (encoded) => decode(asBytes(encoded)) as unknown };
    }
  }
}

function asBytes(encoded: string | Uint8Array): Uint8Array {
  if (typeof encoded === 'string') throw new Error('bytes expected');
  return encoded;
}

/** Bytes go as base64, as they do wherever JSON carries them. */
function toJson(document: unknown): string {
  return Buffer.isBuffer(document) ? JSON.stringify(document.toString('base64')) : JSON.stringify(document);
}

function fromJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  return typeof value === 'string' ? Buffer.from(value, 'base64') : value;
}
