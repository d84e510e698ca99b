/** Message types (`protocol.md` section 1). */
export const MessageType = {
  RESERVED: 0x00,
  OK: 0x01,
  ERROR: 0x02,
  CONNECT: 0x03,
  DISCONNECT: 0x04,
  KEEP_ALIVE: 0x05,
  RUN: 0x06,
  DESCRIBE: 0x07,
  START_STREAM: 0x08,
  STOP_STREAM: 0x09,
  STREAM_DATA: 0x0a,
} as const;
export type MessageType = (typeof MessageType)[keyof typeof MessageType];

/** Field ids of a message body (`protocol.md` section 2). */
export const FieldId = { STREAM_ID: 1, PARAMETERS: 2, PAYLOAD: 3, RESOURCE: 4 } as const;

/** Wire types of a field (`protocol.md` section 2). */
export const WireType = { VARINT: 0, LEGACY_PSON: 1, PSON: 2 } as const;

/** Keys that a field begins with: its id and its wire type in one byte (`protocol.md` section 2). */
export const FieldKey = {
  STREAM_ID: (FieldId.STREAM_ID << 3) | WireType.VARINT,
  PARAMETERS: (FieldId.PARAMETERS << 3) | WireType.PSON,
  PAYLOAD: (FieldId.PAYLOAD << 3) | WireType.PSON,
  RESOURCE: (FieldId.RESOURCE << 3) | WireType.PSON,
  NUMERIC_RESOURCE: (FieldId.RESOURCE << 3) | WireType.VARINT,
} as const;

/** Types of a PSON tag: its upper three bits (`protocol.md` section 3). */
export const PsonType = {
  UNSIGNED: 0,
  SIGNED: 1,
  FLOAT: 2,
  DISCRETE: 3,
  STRING: 4,
  BYTES: 5,
  MAP: 6,
  ARRAY: 7,
} as const;

/** Kinds of a PSON float: the lower five bits of its tag (`protocol.md` section 3). */
export const FloatKind = { FLOAT32: 0, FLOAT64: 1 } as const;

/** Values of a PSON discrete: the lower five bits of its tag (`protocol.md` section 3). */
export const Discrete = { FALSE: 0, TRUE: 1, NULL: 2 } as const;

/** Lower five bits of a PSON tag that is followed by a varint with the number (`protocol.md` section 3). */
export const EXTENDED = 31;

/** Smallest and largest integer (`protocol.md` section 3). */
export const MIN_INTEGER = -(2n ** 63n);
export const MAX_INTEGER = 2n ** 64n - 1n;

/** How deep maps and arrays may be nested, both ways, unless an option says otherwise (`protocol.md` section 3). */
export const MAX_DEPTH = 64;

/** Most bytes that one value or body is encoded to where the caller sets no limit of its own. */
export const MAX_ENCODED_SIZE = 16 * 1024 * 1024;

/** Largest stream id: devices hold it in 16 bits (`protocol.md` section 2). */
export const MAX_STREAM_ID = 65535;

/**
 * Largest body that a device takes, by its kind, in bytes (`protocol.md` section 1). `SMALLEST` is the least that a
 * device may claim: every ERROR fits into it.
 */
export const BodyLimit = { SMALLEST: 1024, MICROCONTROLLER: 32768, LINUX: 262144 } as const;

/** Longest keep-alive interval, in s (`protocol.md` section 4.4). */
export const MAX_KEEP_ALIVE_S = 1800;

/** Keep-alive interval that both ends assume where CONNECT names none, in s (`protocol.md` section 4.1). */
export const DEFAULT_KEEP_ALIVE_S = 60;

/** Codes of an ERROR that answers CONNECT (`protocol.md` section 4.2). */
export const ConnectCode = { REDIRECT: 1, BAD_CREDENTIALS: 2, BAD_KEEP_ALIVE: 3, BAD_ENCODING: 4 } as const;

/** Numbers of the services that a server offers to devices (`protocol.md` section 7). */
export const ServiceCode = {
  READ_PROPERTY: 1,
  SET_PROPERTY: 2,
  CALL_DEVICE: 3,
  CALL_ENDPOINT: 4,
  WRITE_BUCKET: 5,
  LOCK: 6,
  UNLOCK: 7,
  SUBSCRIBE_EVENT: 8,
} as const;
