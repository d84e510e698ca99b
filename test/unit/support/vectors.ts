import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MessageType } from '../../../src/codec/constants';
import type { Value } from '../../../src/types';

/** A message, or a bare value, that a real device sent or was sent. */
export interface Vector {
  readonly name: string;
  readonly direction: 'device->server' | 'server->device' | 'value';
  /** The whole message with its header; for a bare value, its PSON. */
  readonly bytes: Buffer;
  /** The number of the message's type; absent for bare values and for messages that cannot be decoded. */
  readonly type?: number;
  /** Decoded fields by name, `#n` for an unknown id. */
  readonly fields?: Readonly<Record<string, Value>>;
  /** The decoded bare value. */
  readonly value?: Value;
  /** Encoding the decoded form gives the same bytes. */
  readonly canonical: boolean;
  /** Strict decoding refuses it, for this reason. */
  readonly invalid?: string;
}

interface RawVector {
  name: string;
  direction: Vector['direction'];
  hex: string;
  type?: keyof typeof MessageType | number;
  fields?: Record<string, unknown>;
  value?: unknown;
  canonical?: boolean;
  invalid?: string;
}

/** All captured vectors (`test/vectors`). */
export const vectors: readonly Vector[] = ['linux.json', 'microcontroller.json'].flatMap(load);

/** Those that are messages and decode. */
export const messageVectors = vectors.filter((vector) => vector.fields !== undefined);

/** Those that are bare values. */
export const valueVectors = vectors.filter((vector) => vector.direction === 'value');

/** Those that strict decoding refuses. */
export const invalidVectors = vectors.filter((vector) => vector.invalid !== undefined);

function load(file: string): Vector[] {
  const text = readFileSync(join(__dirname, '../../vectors', file), 'utf8');
  return (JSON.parse(text) as RawVector[]).map(vectorOf);
}

function vectorOf(raw: RawVector): Vector {
  return {
    name: raw.name,
    direction: raw.direction,
    bytes: Buffer.from(raw.hex, 'hex'),
    canonical: raw.canonical ?? false,
    ...(raw.type !== undefined && { type: typeof raw.type === 'number' ? raw.type : MessageType[raw.type] }),
    ...(raw.fields && { fields: valueOf(raw.fields) as Record<string, Value> }),
    ...('value' in raw && { value: valueOf(raw.value) }),
    ...(raw.invalid !== undefined && { invalid: raw.invalid }),
  };
}

/** Turns the JSON form of a value into the value: `{"$bytes": hex}`, `{"$int": decimal}`, `{"$float": name}`. */
function valueOf(json: unknown): Value {
  if (Array.isArray(json)) return json.map(valueOf);
  if (typeof json !== 'object' || json === null) return json as Value;
  const { $bytes, $int, $float } = json as Record<string, unknown>;
  if (typeof $bytes === 'string') return Buffer.from($bytes, 'hex');
  if (typeof $int === 'string') return BigInt($int);
  if (typeof $float === 'string') return Number($float);
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, valueOf(value)]));
}
