/**
 * IoTMP bytes by hand, for tests that must not trust the codec under test: builders of fields, and a reader of what
 * a server sends. Knows `protocol.md` sections 1 to 3 and nothing of `src`.
 */

/** Types of messages that the tests name. */
export const Type = {
  OK: 1,
  ERROR: 2,
  CONNECT: 3,
  DISCONNECT: 4,
  KEEP_ALIVE: 5,
  RUN: 6,
  DESCRIBE: 7,
  START_STREAM: 8,
  STOP_STREAM: 9,
  STREAM_DATA: 10,
} as const;

/** Field ids. */
export const Field = { ID: 1, PARAMETERS: 2, PAYLOAD: 3, RESOURCE: 4 } as const;

/** Bytes from hex digits; blanks and bars are for the eye. */
export function hex(digits: string): Buffer {
  const bare = digits.replace(/[\s|]/g, '');
  const bytes = Buffer.from(bare, 'hex');
  if (bytes.length * 2 !== bare.length) throw new Error(`not hex: ${digits}`);
  return bytes;
}

/** Base-128, least significant group first. A negative number is its 64-bit two's complement. */
export function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

/** A varint that is padded to `length` bytes. */
export function paddedVarint(value: number, length: number): Buffer {
  const shortest = varint(value);
  const padding = Buffer.alloc(length - shortest.length, 0x80);
  const padded = Buffer.concat([shortest, padding]);
  for (let i = 0; i < length; i++) padded[i] = i < length - 1 ? padded[i]! | 0x80 : padded[i]! & 0x7f;
  return padded;
}

/** A value as PSON. A number with a fraction is a 64-bit float. */
export function pson(value: unknown): Buffer {
  if (value === null) return hex('62');
  if (typeof value === 'boolean') return hex(value ? '61' : '60');
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value))) {
    return value < 0 ? head(1, -value) : head(0, value);
  }
  if (typeof value === 'number') {
    const float = Buffer.alloc(9, 0x41);
    float.writeDoubleLE(value, 1);
    return float;
  }
  if (typeof value === 'string')
    return Buffer.concat([head(4, Buffer.byteLength(value)), Buffer.from(value)]);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(5, value.length), value]);
  if (Array.isArray(value)) return Buffer.concat([head(7, value.length), ...value.map(pson)]);
  const pairs = Object.entries(value as Record<string, unknown>);
  return Buffer.concat([head(6, pairs.length), ...pairs.flatMap(([key, item]) => [pson(key), pson(item)])]);
}

function head(type: number, count: number | bigint): Buffer {
  if (count <= 30) return Buffer.from([(type << 5) | Number(count)]);
  return Buffer.concat([Buffer.from([(type << 5) | 31]), varint(count)]);
}

/** A field of wire type 0. */
export function varintField(field: number, value: number | bigint): Buffer {
  return Buffer.concat([varint(field << 3), varint(value)]);
}

/** A field of wire type 2 with a value. */
export function psonField(field: number, value: unknown): Buffer {
  return Buffer.concat([varint((field << 3) | 2), pson(value)]);
}

/** A whole message of one type byte, the size of its body, and the body. */
export function message(type: number, ...fields: readonly Buffer[]): Buffer {
  const body = Buffer.concat(fields);
  return Buffer.concat([Buffer.from([type]), varint(body.length), body]);
}

/** A message as it was read. */
export interface RawMessage {
  readonly type: number;
  /** The whole message. */
  readonly bytes: Buffer;
  readonly body: Buffer;
  readonly id: number | undefined;
  readonly parameters: unknown;
  readonly payload: unknown;
  readonly resource: unknown;
  /** Keys of the fields, in the order in which they came: `field << 3 | wire type`. */
  readonly keys: readonly number[];
}

/** Cuts a byte stream into messages. */
export class RawReader {
  #rest = Buffer.alloc(0);

  /** Bytes that do not make a whole message yet. */
  get rest(): Buffer {
    return this.#rest;
  }

  /** The messages that `chunk` completes. */
  push(chunk: Buffer): RawMessage[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const found: RawMessage[] = [];
    for (let next = this.#take(); next !== undefined; next = this.#take()) found.push(next);
    return found;
  }

  #take(): RawMessage | undefined {
    let size = 0;
    for (let at = 1; at < this.#rest.length; at++) {
      const byte = this.#rest[at]!;
      size += (byte & 127) * 128 ** (at - 1);
      if (byte >= 128) continue;
      const end = at + 1 + size;
      if (this.#rest.length < end) return undefined;
      const bytes = this.#rest.subarray(0, end);
      this.#rest = this.#rest.subarray(end);
      return readMessage(bytes, bytes.subarray(at + 1));
    }
    return undefined;
  }
}

function readMessage(bytes: Buffer, body: Buffer): RawMessage {
  const cursor = { body, at: 0 };
  const fields = new Map<number, unknown>();
  const keys: number[] = [];
  while (cursor.at < body.length) {
    const key = readVarint(cursor);
    const wire = Number(key & 7n);
    if (wire !== 0 && wire !== 2)
      throw new Error(`the server sent wire type ${wire}: ${bytes.toString('hex')}`);
    keys.push(Number(key));
    fields.set(Number(key >> 3n), wire === 0 ? small(readVarint(cursor)) : readValue(cursor));
  }
  const id = fields.get(Field.ID);
  return {
    type: bytes[0]!,
    bytes,
    body,
    id: typeof id === 'number' ? id : undefined,
    parameters: fields.get(Field.PARAMETERS),
    payload: fields.get(Field.PAYLOAD),
    resource: fields.get(Field.RESOURCE),
    keys,
  };
}

/** A field of a message as it came. */
export interface RawField {
  readonly id: number;
  readonly wire: number;
  /** What comes after the key. */
  readonly value: Buffer;
}

/** Cuts a whole message into its fields. */
export function rawFields(bytes: Buffer): RawField[] {
  const [{ body }] = new RawReader().push(bytes) as [RawMessage];
  const cursor = { body, at: 0 };
  const fields: RawField[] = [];
  while (cursor.at < body.length) {
    const key = Number(readVarint(cursor));
    const start = cursor.at;
    if ((key & 7) === 0) readVarint(cursor);
    else readValue(cursor);
    fields.push({ id: key >> 3, wire: key & 7, value: body.subarray(start, cursor.at) });
  }
  return fields;
}

interface Cursor {
  readonly body: Buffer;
  at: number;
}

function readVarint(cursor: Cursor): bigint {
  let value = 0n;
  for (let shift = 0n; ; shift += 7n) {
    const byte = cursor.body[cursor.at++];
    if (byte === undefined)
      throw new Error(`the server sent a body that is cut off: ${cursor.body.toString('hex')}`);
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) return value;
  }
}

function readValue(cursor: Cursor): unknown {
  const tag = cursor.body[cursor.at++];
  if (tag === undefined) throw new Error('the server sent a tag without a value');
  const count = (tag & 31) === 31 ? readVarint(cursor) : BigInt(tag & 31);
  switch (tag >> 5) {
    case 0:
      return small(count);
    case 1:
      return small(-count);
    case 2:
      return readFloat(cursor, count === 0n ? 4 : 8);
    case 3:
      return [false, true, null][Number(count)];
    case 4:
      return bytesOf(cursor, count).toString();
    case 5:
      return bytesOf(cursor, count);
    case 6:
      return Object.fromEntries(
        items(count, () => [readValue(cursor), readValue(cursor)] as [string, unknown]),
      );
    default:
      return items(count, () => readValue(cursor));
  }
}

function small(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function readFloat(cursor: Cursor, size: 4 | 8): number {
  const bytes = bytesOf(cursor, BigInt(size));
  return size === 4 ? bytes.readFloatLE() : bytes.readDoubleLE();
}

function bytesOf(cursor: Cursor, count: bigint): Buffer {
  const bytes = cursor.body.subarray(cursor.at, cursor.at + Number(count));
  if (bytes.length !== Number(count)) throw new Error('the server sent a value that is cut off');
  cursor.at += bytes.length;
  return bytes;
}

function items<T>(count: bigint, read: () => T): T[] {
  return Array.from({ length: Number(count) }, read);
}
