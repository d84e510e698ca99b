import { types } from 'node:util';
import { printable } from './printable';

/**
 * The one catalogue of everything that can go wrong. Codes are stable: flows and programs compare them.
 * The number is the HTTP-like status that a peer is told when the failure has to cross the wire.
 */
export const ErrorStatus = {
  /** Bytes from a peer that are not valid IoTMP. */
  IOTMP_ERR_DECODE: 400,
  /** A value that PSON cannot carry: a function, a symbol, a cycle, an invalid date. A peer is told when ours is one. */
  IOTMP_ERR_ENCODE: 500,
  /** A message larger than the limit of this end or of the peer. */
  IOTMP_ERR_TOO_LARGE: 413,
  /** The peer broke a rule of the protocol. */
  IOTMP_ERR_PROTOCOL: 400,
  /** An option, property or pattern that is not usable. */
  IOTMP_ERR_CONFIG: 400,
  /** No answer within the time limit. */
  IOTMP_ERR_TIMEOUT: 504,
  /** The caller gave up by its AbortSignal. */
  IOTMP_ERR_ABORTED: 499,
  /** The session ended before the answer came. */
  IOTMP_ERR_CLOSED: 503,
  /** The device is not connected, or the connection of a stream has ended. */
  IOTMP_ERR_OFFLINE: 404,
  /** The peer answered with an error of its own. */
  IOTMP_ERR_REMOTE: 502,
  /** Nobody hosts a resource of that name. */
  IOTMP_ERR_NOT_FOUND: 404,
  /** An input was called without a value, which a device would take as false or 0. */
  IOTMP_ERR_NO_INPUT: 400,
  /** The resource does not work in this direction, or takes no streams. */
  IOTMP_ERR_NOT_ALLOWED: 405,
  /** Who asks has no right to it. */
  IOTMP_ERR_FORBIDDEN: 403,
  /** Somebody else holds the lock. */
  IOTMP_ERR_LOCKED: 423,
  /** Devices call each other in a circle. */
  IOTMP_ERR_LOOP: 508,
  /** Something of that name is already there. */
  IOTMP_ERR_CONFLICT: 409,
  /** A limit on how many things of a kind may be kept is reached. */
  IOTMP_ERR_QUOTA: 409,
  /** What is to be kept could not be written or read: see {@link StorageError}, whose status is 507 for a full disk. */
  IOTMP_ERR_STORAGE: 503,
  /** A bound of queues, pending requests, streams or connections is reached. */
  IOTMP_ERR_BUSY: 503,
  /** Wrong user, device or credential. */
  IOTMP_ERR_AUTH: 401,
  /** A connection could not be made. */
  IOTMP_ERR_CONNECT: 503,
  /** A listener could not be opened. */
  IOTMP_ERR_LISTEN: 500,
  /** An answer to a call that is unknown, already answered or expired. */
  IOTMP_ERR_REPLY: 410,
  /** A request of a program that is not well formed, or has members of the wrong kind. */
  IOTMP_ERR_REQUEST: 400,
  /** More requests than allowed in this time. */
  IOTMP_ERR_RATE: 429,
  /** A resource's own code failed. */
  IOTMP_ERR_HANDLER: 500,
} as const;

/** A stable error code of the catalogue. */
export type ErrorCode = keyof typeof ErrorStatus;

/** Errors of this realm that no engine has made, such as a DOMException. */
const OwnError = Error;

/**
 * Base of all errors that this package throws or rejects with. Their messages may have texts of peers in them, and end in logs,
 * events and statuses: they are made printable here.
 */
export class IotmpError extends Error {
  /** Stable code of the catalogue. */
  readonly code: ErrorCode;
  /** HTTP-like status: the peer's own where it sent one, else that of the catalogue. */
  readonly statusCode: number;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown; statusCode?: number }) {
    super(printable(message), options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'IotmpError';
    this.code = code;
    this.statusCode = options?.statusCode ?? ErrorStatus[code];
  }
}

/** Bytes that do not decode (`protocol.md` sections 1-3). */
export class DecodeError extends IotmpError {
  /** What is wrong, as a short stable word such as `truncated`, `utf-8`, `key`, `too deep`. */
  readonly reason: string;
  /** Position of the offending byte, counted from the start of the decoded message or value. */
  readonly offset: number;
  /** The message's stream id, where it could be read before the fault. */
  streamId: number | undefined;

  constructor(reason: string, offset: number) {
    super('IOTMP_ERR_DECODE', `cannot decode: ${reason} at byte ${offset}`);
    this.name = 'DecodeError';
    this.reason = reason;
    this.offset = offset;
  }
}

/** A protocol that is not IoTMP, and is often met at its ports. */
export type ForeignProtocol = 'tls' | 'http' | 'mqtt' | 'ssh';

const PROTOCOL_NAMES: Readonly<Record<ForeignProtocol, string>> = {
  tls: 'TLS',
  http: 'HTTP',
  mqtt: 'MQTT',
  ssh: 'SSH',
};

/** The other end of a connection speaks another protocol. */
export class ForeignProtocolError extends IotmpError {
  readonly protocol: ForeignProtocol;

  constructor(protocol: ForeignProtocol) {
    const expected = protocol === 'tls' ? 'and this port is without TLS' : 'not IoTMP';
    super('IOTMP_ERR_PROTOCOL', `the other end speaks ${PROTOCOL_NAMES[protocol]}, ${expected}`);
    this.name = 'ForeignProtocolError';
    this.protocol = protocol;
  }
}

/** The peer answered a request with an error (`protocol.md` section 5). */
export class RemoteError extends IotmpError {
  /** The payload of the answer, as it came. */
  readonly payload: unknown;

  constructor(message: string, statusCode: number, payload: unknown) {
    super('IOTMP_ERR_REMOTE', message, { statusCode });
    this.name = 'RemoteError';
    this.payload = payload;
  }
}

/**
 * Why a store cannot do its work.
 *
 * - `unsupported`: this Node.js has no SQLite; it needs 22.13 or newer.
 * - `unavailable`: the file or its folder cannot be made or opened.
 * - `locked`: another process uses the file.
 * - `full`: the disk, or the size that the file may have, is used up. What is removed makes room again.
 * - `readonly`: the file may be read but not written.
 * - `corrupt`: the file is damaged. It is left as it is.
 * - `foreign`: the file is a database of another program.
 * - `newer`: the file was written by a newer version of this package.
 * - `io`: the disk failed.
 * - `failed`: the store itself failed, and has to be opened again.
 */
export type StorageFault =
  | 'unsupported'
  | 'unavailable'
  | 'locked'
  | 'full'
  | 'readonly'
  | 'corrupt'
  | 'foreign'
  | 'newer'
  | 'io'
  | 'failed';

const PUBLIC_FAULT: Readonly<Record<StorageFault, string>> = {
  unsupported: 'it is not supported',
  unavailable: 'it cannot be opened',
  locked: 'it is in use elsewhere',
  full: 'no space is left',
  readonly: 'it cannot be written',
  corrupt: 'it is damaged',
  foreign: 'it is of another program',
  newer: 'it is of a newer version',
  io: 'the disk failed',
  failed: 'it has to be opened again',
};

/** A store that cannot keep or find what it should. */
export class StorageError extends IotmpError {
  readonly reason: StorageFault;

  constructor(reason: StorageFault, message: string, options?: { cause?: unknown }) {
    super('IOTMP_ERR_STORAGE', message, { ...options, ...(reason === 'full' && { statusCode: 507 }) });
    this.name = 'StorageError';
    this.reason = reason;
  }

  /** What was thrown, as a StorageError. What is none yet becomes the cause of one with this reason. */
  static from(thrown: unknown, reason: StorageFault): StorageError {
    if (thrown instanceof StorageError) return thrown;
    return new StorageError(reason, errorText(thrown), { cause: thrown });
  }
}

/**
 * The text of an error for others than the owner of this machine. Of a store it tells what is wrong, but neither where
 * the file is nor what the disk said.
 */
export function publicText(error: unknown): string {
  return error instanceof StorageError
    ? `the storage of the server fails: ${PUBLIC_FAULT[error.reason]}`
    : errorText(error);
}

/** Whether this is an error, also of another realm: function nodes of Node-RED run in one of their own. */
export function isError(thrown: unknown): thrown is Error {
  return types.isNativeError(thrown) || thrown instanceof OwnError;
}

/** The code that Node.js or the system gave an error, such as `ECONNREFUSED`; '' without one. */
export function systemCode(thrown: unknown): string {
  return isError(thrown) && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';
}

/** What was thrown, as an error; what is none becomes the `cause` of one. */
export function asError(thrown: unknown): Error {
  return isError(thrown) ? thrown : new Error(errorText(thrown), { cause: thrown });
}

/** The text of anything that was thrown, also of what cannot be made a text; printable. */
export function errorText(error: unknown): string {
  try {
    // A message that is no string is the thrower's own doing.
    const text: unknown = isError(error) ? error.message : error;
    return printable(String(text));
  } catch {
    return 'an error without a text';
  }
}
