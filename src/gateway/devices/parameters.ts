import { decimalNumber } from '../../codec/exact-json';
import type { Value } from '../../types';

/** Query keys that are for the gateway, not for the device. */
const OWN_KEYS: readonly string[] = ['authorization'];

/**
 * The query of a request as IoTMP parameters; `undefined` when there is none. Devices tell types apart, and take no text
 * for a number or a boolean, so what is written like one becomes one where no digit of it changes. A repeated key becomes a list.
 */
export function parametersOf(
  query: URLSearchParams,
  ownKeys: readonly string[] = OWN_KEYS,
): Record<string, Value> | undefined {
  if (query.size === 0) return undefined;
  const keys = [...new Set(query.keys())].filter((key) => !ownKeys.includes(key));
  if (keys.length === 0) return undefined;
  const entries = keys.map((key): [string, Value] => {
    const values = query.getAll(key).map(typed);
    return [key, values.length === 1 ? (values[0] ?? null) : values];
  });
  return Object.fromEntries(entries);
}

function typed(text: string): Value {
  if (text === 'true' || text === 'false') return text === 'true';
  return decimalNumber(text) ?? text;
}
