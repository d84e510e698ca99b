import { types } from 'node:util';
import type { IncomingMessage } from 'node:http';
import { IotmpError } from '../../errors';
import { parametersOf } from '../devices/parameters';
import type { Clock } from '../../util/clock';
import { BodyPace } from './body-pace';
import { parseJson } from './json-text';
import { badRequest, closed, unsupportedBody } from './request-error';
import { detached, guarded } from '../../util/guard';

/** The body of a request: its bytes, and what it says it is. */
export interface RequestBody {
  readonly bytes: Buffer;
  /** Media type in small letters, without parameters; '' when none is given. */
  readonly type: string;
}

/** Nothing, or nothing that has been read. */
export const NO_BODY: RequestBody = Object.freeze({ bytes: Buffer.alloc(0), type: '' });

const UTF8 = new TextDecoder('utf-8', { fatal: true });
/** A client in the field misspells it (`platform-api.md` section 1.2). */
const BYTES: readonly string[] = ['application/octet-stream', 'application/octec-stream'];
const FORM = 'application/x-www-form-urlencoded';
/** What command-line tools send when they are told nothing. */
const UNTOLD: readonly string[] = ['', FORM];

/**
 * Reads the body of a request, as much as it may be.
 * @throws IotmpError IOTMP_ERR_TOO_LARGE, IOTMP_ERR_ABORTED when the client goes away, or IOTMP_ERR_TIMEOUT when the body
 *   stands still
 */
export async function readBody(
  request: IncomingMessage,
  maxBytes: number,
  clock: Clock,
): Promise<RequestBody> {
  if (!hasBody(request)) return NO_BODY;
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0] ?? '';
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  return { bytes: await collect(request, maxBytes, clock), type: type.trim().toLowerCase() };
}

/** Whether a request has a body: without one, nothing of it is waited for. */
export function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length'];
  return (length !== undefined && length !== '0') || headers['transfer-encoding'] !== undefined;
}

/**
 * The body of a request as it comes, whatever its type. Whoever stops to read it early has to close the connection.
 * @param closing ends it
 * @throws IotmpError IOTMP_ERR_TOO_LARGE when it says that it is, IOTMP_ERR_ABORTED when the client goes away,
 *   IOTMP_ERR_TIMEOUT when the body stands still, or IOTMP_ERR_CLOSED
 */
export async function* bodyContent(
  request: IncomingMessage,
  maxBytes: number,
  closing: AbortSignal,
  clock: Clock,
): AsyncGenerator<Uint8Array, undefined> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const chunks: AsyncIterator<unknown, undefined> = request.iterator({ destroyOnReturn: false });
  const { promise: end, reject } = Promise.withResolvers<never>();
  detached('body closing', ignore, end);
  const onClosing = guarded('body abort', reject, () => reject(closed()));
  closing.addEventListener('abort', onClosing);
  if (closing.aborted) onClosing();
  const pace = new BodyPace(clock, reject);
  try {
    for (;;) {
      pace.goOn();
      const { done = false, value } = await Promise.race([chunks.next(), end]);
      pace.rest();
      if (done) return;
      if (!types.isUint8Array(value)) continue;
      pace.took(value.length);
      yield value;
    }
  } catch (error) {
    if (error instanceof IotmpError) throw error;
    throw new IotmpError('IOTMP_ERR_ABORTED', 'the client went away', { cause: error });
  } finally {
    pace.end();
    closing.removeEventListener('abort', onClosing);
  }
}

async function collect(request: IncomingMessage, maxBytes: number, clock: Clock): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const pace = new BodyPace(clock, reject);
  const onData = guarded('body data', reject, (chunk: Buffer) => {
    size += chunk.length;
    pace.took(chunk.length);
    if (size > maxBytes) reject(tooLarge(maxBytes));
    else chunks.push(chunk);
  });
  const onEnd = guarded('body end', reject, () => resolve(Buffer.concat(chunks, size)));
  const onGone = guarded('body gone', reject, () =>
    reject(new IotmpError('IOTMP_ERR_ABORTED', 'the client went away')),
  );
  request.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone);
  // A client that went away while its token was looked at is told of no more.
  if (request.destroyed) onGone();
  try {
    return await promise;
  } finally {
    pace.end();
    request.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone);
    // An error that comes later is nobody's concern, but must not end the process.
    request.on('error', onLateError);
  }
}

/**
 * The value that a body holds: JSON, bytes, or plain text; `undefined` without a body.
 * @throws IotmpError IOTMP_ERR_REQUEST, with status 415 for another media type
 */
export function bodyValue({ bytes, type }: RequestBody): unknown {
  if (isBytes(type)) return bytes;
  if (bytes.length === 0) return undefined;
  if (isJson(type) || UNTOLD.includes(type)) return parseJson(bodyText(bytes));
  if (type === 'text/plain') return bodyText(bytes);
  throw unsupportedBody(`send application/json or application/octet-stream, not ${JSON.stringify(type)}`);
}

/** The same, of a route that has no use for bytes. */
export function jsonValue(body: RequestBody): unknown {
  if (isBytes(body.type)) throw unsupportedBody('send application/json: bytes are not taken here');
  return bodyValue(body);
}

/**
 * The value that a body holds, whatever it is said to be: JSON where it is that, a form, a text, or bytes. Senders that can do
 * no better say the wrong type, or none.
 */
export function looseValue({ bytes, type }: RequestBody): unknown {
  if (bytes.length === 0) return undefined;
  if (isBytes(type)) return bytes;
  const text = utf8Text(bytes);
  if (text === undefined) return bytes;
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof IotmpError)) throw error;
    return type === FORM ? parametersOf(new URLSearchParams(text)) : text;
  }
}

/**
 * The members of a form, or of a JSON object.
 * @throws IotmpError IOTMP_ERR_REQUEST
 */
export function formValue(body: RequestBody): unknown {
  if (body.type !== FORM) return jsonValue(body);
  return Object.fromEntries(new URLSearchParams(bodyText(body.bytes)));
}

function isBytes(type: string): boolean {
  return BYTES.includes(type);
}

function utf8Text(bytes: Buffer): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch {
    // Bytes that are no text are a body, too.
    return undefined;
  }
}

function isJson(type: string): boolean {
  return type === 'application/json' || type.endsWith('+json');
}

function bodyText(bytes: Buffer): string {
  try {
    return UTF8.decode(bytes);
  } catch (error) {
    throw badRequest('the body is not UTF-8', error);
  }
}

function tooLarge(maxBytes: number): IotmpError {
  return new IotmpError('IOTMP_ERR_TOO_LARGE', `a body has at most ${maxBytes} bytes`);
}

function ignore(): void {
  // Nobody waits for it any more.
}

const onLateError = guarded('body late error', ignore, ignore);
