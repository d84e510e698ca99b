import type { Message } from '../../../src/codec/message';
import type { OutgoingMessage } from '../../../src/codec/writing/message-encoder';

const TWO_63 = 2 ** 63;

/** A plain object with these own properties, `__proto__` among them if it is named. */
export function mapOf(entries: readonly (readonly [string, unknown])[]): object {
  const map = {};
  for (const [name, value] of entries) {
    Object.defineProperty(map, name, { value, writable: true, enumerable: true, configurable: true });
  }
  return map;
}

/**
 * The value that the decoder shall give for an encoded value. It gives the same for that value again.
 */
export function expected(value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value === 'number') return Number.isInteger(value) ? expectedInteger(value) : value;
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (Array.isArray(value)) return value.map(expected);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return mapOf(members.map(([name, member]) => [name.toWellFormed(), expected(member)]));
}

function expectedInteger(value: number): number | bigint {
  return Number.isSafeInteger(value) || value >= TWO_63 || value < -TWO_63 ? value : BigInt(value);
}

/** The fields of a message as a plain object, absent ones as undefined. */
export function fieldsOf({ type, streamId, parameters, payload, resource }: Message): OutgoingMessage {
  return { type, streamId, parameters, payload, resource };
}
