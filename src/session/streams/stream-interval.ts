import { isMap, type Value } from '../../types';

/** Longest interval of a stream, in ms: a day. */
export const MAX_INTERVAL_MS = 86_400_000;

/**
 * The interval in ms that the parameters of a START_STREAM ask for: `{"interval": ms}` or the bare number
 * (`protocol.md` section 6). 0 for an event stream and for anything that is no positive number.
 */
export function streamInterval(parameters: Value | undefined): number {
  const asked = isMap(parameters) ? parameters.interval : parameters;
  if (typeof asked !== 'number' || !(asked > 0)) return 0;
  return Math.min(Math.round(asked), MAX_INTERVAL_MS);
}
