import { MAX_DEPTH } from '../../codec/constants';
import { parseExactJson } from '../../codec/exact-json';
import { types } from 'node:util';
import type { Value } from '../../types';
import { badRequest } from './request-error';

/** A value that can be written as JSON. */
export type JsonSource = Value | undefined | Readonly<Record<string, Value | undefined>>;

/**
 * JSON of a value. Integers past 2^53 keep all their digits, as JSON sets no bound. Bytes are `{"bytes":[...]}`. NaN and
 * the infinities are null. Members that are `undefined` are left out.
 */
export function toJson(value: JsonSource): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'number':
      return Number.isFinite(value) ? String(value) : 'null';
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'object':
      return value === null ? 'null' : containerToJson(value);
    default:
      return 'null';
  }
}

function containerToJson(value: Uint8Array | Value[] | Readonly<Record<string, Value | undefined>>): string {
  if (types.isUint8Array(value)) return `{"bytes":[${value.join(',')}]}`;
  if (Array.isArray(value)) return `[${value.map(toJson).join(',')}]`;
  const members: string[] = [];
  for (const [key, member] of Object.entries(value)) {
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${toJson(member)}`);
  }
  return `{${members.join(',')}}`;
}

/**
 * Reads JSON, as {@link parseExactJson} does.
 * @throws IotmpError IOTMP_ERR_REQUEST, also for nesting that is deeper than devices can be sent
 */
export function parseJson(text: string): unknown {
  const value = parsed(text);
  if (isDeeper(value, MAX_DEPTH)) throw badRequest('the body is nested too deeply');
  return value;
}

function parsed(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch (error) {
    throw badRequest('the body is not JSON', error);
  }
}

function isDeeper(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth === 0 || Object.values(value).some((member) => isDeeper(member, depth - 1));
}
