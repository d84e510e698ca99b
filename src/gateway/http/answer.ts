import type { ServerResponse } from 'node:http';
import { IotmpError, publicText, RemoteError } from '../../errors';
import type { Value } from '../../types';
import { toJson, type JsonSource } from './json-text';
import { RateError } from './request-error';

/** What a route gives: a status with a body, or something that writes to the response as it likes. */
export type HttpAnswer = BodyAnswer | LiveAnswer;

/** An answer that is whole. */
export interface BodyAnswer {
  readonly status: number;
  /** Media type; `undefined` without a body. */
  readonly type?: string;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer that goes on for as long as the client listens. */
export interface LiveAnswer {
  /** Takes over the response. */
  readonly serve: (response: ServerResponse) => void;
}

const JSON_TYPE = 'application/json; charset=utf-8';
/** Longest text of an error that is told, in characters. */
const MAX_TEXT = 1024;

/** A JSON body, also of a bare scalar: clients depend on the content type (`platform-api.md` section 1.2). */
export function json(value: JsonSource, status = 200): BodyAnswer {
  return { status, type: JSON_TYPE, body: toJson(value) };
}

/** Success with nothing to say: no body, no content type, a length of 0. */
export const EMPTY: BodyAnswer = Object.freeze({ status: 200 });

export function bytes(body: Uint8Array, status = 200): BodyAnswer {
  return { status, type: 'application/octet-stream', body };
}

/** Text of a media type of its own, such as a page. */
export function text(type: string, body: string, headers: Readonly<Record<string, string>> = {}): BodyAnswer {
  return { status: 200, type: `${type}; charset=utf-8`, body, headers };
}

/**
 * The answer that tells of a failure: `{"error":{"message","code"}}`, with `payload` where a device sent one. What
 * is not of the catalogue is an inner fault, whose text is nobody's concern outside.
 */
export function failure(error: unknown): BodyAnswer {
  if (!(error instanceof IotmpError)) {
    return json({ error: { message: 'the server failed', code: 'IOTMP_ERR_HANDLER' } }, 500);
  }
  const detail: Record<string, Value> = { message: publicText(error).slice(0, MAX_TEXT), code: error.code };
  if (error instanceof RemoteError && isTold(error.payload)) detail.payload = error.payload;
  return { ...json({ error: detail }, httpStatus(error)), headers: failureHeaders(error) };
}

/**
 * The status of a success that somebody else has named: a device, or a flow. What is none, and what has no room for the
 * body that there is, is 200.
 */
export function successStatus(status: number, hasBody: boolean): number {
  const isSuccess = Number.isInteger(status) && status >= 200 && status <= 299;
  return isSuccess && (!hasBody || (status !== 204 && status !== 205)) ? status : 200;
}

/** A device may send any number as its code; HTTP has the ones from 400 to 599 for failures. */
export function httpStatus({ statusCode }: IotmpError): number {
  return Number.isInteger(statusCode) && statusCode >= 400 && statusCode <= 599 ? statusCode : 502;
}

/** Writes an answer. One that cannot be written any more is let go. */
export function sendAnswer(response: ServerResponse, answer: HttpAnswer, withBody = true): void {
  if (response.headersSent || response.destroyed) return;
  if ('serve' in answer) {
    answer.serve(response);
    return;
  }
  const { status, type, body = '', headers = {} } = answer;
  // In one go: each header that is set by itself costs as much as all of them.
  response.writeHead(status, {
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-store',
    ...(type !== undefined && { 'Content-Type': type }),
    'Content-Length': Buffer.byteLength(body),
    ...headers,
  });
  response.end(withBody ? body : undefined);
}

function failureHeaders(error: IotmpError): Record<string, string> {
  if (error instanceof RateError) return { 'Retry-After': String(error.retryAfterS) };
  if (error.code === 'IOTMP_ERR_AUTH') return { 'WWW-Authenticate': 'Bearer' };
  return {};
}

function isTold(payload: unknown): payload is Value {
  return payload !== undefined && payload !== null;
}
