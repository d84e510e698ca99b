import { types } from 'node:util';
import { EncodeFailure } from './encode-failure';

/** What an object is written as: a primitive, an array, bytes, a Map, or the object itself for its own properties. */
export type EncodableForm = string | number | boolean | bigint | null | undefined | symbol | object;

/**
 * Turns the objects that are not plain into what PSON has a type for. Buffers come before `toJSON()`, which they
 * have too. Everything is recognised across realms: Node-RED's function nodes run in one of their own.
 */
export function encodableForm(value: object): EncodableForm {
  const builtIn = builtInForm(value);
  if (builtIn !== undefined) return builtIn;
  if (!hasToJSON(value)) return value;
  const result = value.toJSON();
  // An object that toJSON() returns is not asked again: it may be of the same class.
  if (typeof result === 'object' && result !== null) return builtInForm(result) ?? result;
  return result;
}

function hasToJSON(value: object): value is { toJSON(): EncodableForm } {
  return 'toJSON' in value && typeof value.toJSON === 'function';
}

function builtInForm(value: object): EncodableForm {
  if (types.isUint8Array(value) || types.isMap(value)) return value;
  if (types.isAnyArrayBuffer(value)) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) return viewForm(value);
  if (types.isSet(value)) return Array.from(value);
  if (types.isDate(value)) return dateText(value);
  if (types.isBoxedPrimitive(value)) return value.valueOf();
  return undefined;
}

function viewForm(view: ArrayBufferView): EncodableForm {
  if (types.isTypedArray(view)) return Array.from<number | bigint>(view);
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function dateText(date: Date): string {
  if (Number.isNaN(date.getTime())) throw new EncodeFailure('an invalid date cannot be sent');
  return date.toISOString();
}
