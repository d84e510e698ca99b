import { clientRanges, IotmpError, parseExactJson } from '../../src';

/**
 * Readers of the value of one property. Node-RED puts environment variables in place of `${NAME}`, so any property may
 * arrive as a string.
 */

/** A text without space around it. A missing one is empty. */
export function textSetting(value: unknown): string {
  return typeof value === 'string' ? value.trim() : typeof value === 'number' ? String(value) : '';
}

/** A choice that is on or off. Environment variables arrive as the texts `true` and `false`. */
export function booleanSetting(value: unknown, fallback: boolean): boolean {
  if (typeof value === 'boolean') return value;
  return value === 'true' ? true : value === 'false' ? false : fallback;
}

/**
 * A number within a range.
 * @throws IotmpError IOTMP_ERR_CONFIG naming the property and the range
 */
export function numberSetting(
  name: string,
  value: unknown,
  range: { min: number; max: number; fallback: number },
): number {
  if (value === undefined || value === null) return range.fallback;
  if (typeof value === 'string' && value.trim() === '') return range.fallback;
  const number = typeof value === 'number' ? value : Number(textSetting(value) || Number.NaN);
  if (number >= range.min && number <= range.max) return number;
  throw new IotmpError('IOTMP_ERR_CONFIG', `${name} must be a number from ${range.min} to ${range.max}`);
}

/**
 * A whole number within a range.
 * @throws IotmpError IOTMP_ERR_CONFIG naming the property and the range
 */
export function integerSetting(
  name: string,
  value: unknown,
  range: { min: number; max: number; fallback: number },
): number {
  const number = numberSetting(name, value, range);
  if (Number.isInteger(number)) return number;
  throw new IotmpError(
    'IOTMP_ERR_CONFIG',
    `${name} must be a whole number from ${range.min} to ${range.max}`,
  );
}

/**
 * A port; empty is off.
 * @throws IotmpError IOTMP_ERR_CONFIG
 */
export function portSetting(name: string, value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string' && value.trim() === '') return undefined;
  return integerSetting(name, value, { ...clientRanges.port, fallback: 0 });
}

/**
 * The value of a JSON text. A value that is no text stands for itself; an empty text is `undefined`.
 * @throws IotmpError IOTMP_ERR_CONFIG naming the property
 */
export function jsonSetting(name: string, value: unknown): unknown {
  if (typeof value === 'boolean' || (typeof value === 'object' && value !== null)) return value;
  const text = textSetting(value);
  if (text === '') return undefined;
  try {
    return parseExactJson(text);
  } catch (cause) {
    throw new IotmpError('IOTMP_ERR_CONFIG', `${name} is not valid JSON`, { cause });
  }
}

/**
 * One of a list of words.
 * @throws IotmpError IOTMP_ERR_CONFIG naming the property and the words
 */
export function choiceSetting<T extends string>(
  name: string,
  value: unknown,
  choices: readonly T[],
  fallback: T,
): T {
  if (value === undefined || value === null || value === '') return fallback;
  const found = choices.find((choice) => choice === value);
  if (found !== undefined) return found;
  throw new IotmpError('IOTMP_ERR_CONFIG', `${name} must be one of ${choices.join(', ')}`);
}
