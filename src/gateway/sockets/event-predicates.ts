import { z } from 'zod';
import type { ServerEvent } from '../../broker/event-feed';
import type { Value } from '../../types';
import { Pattern } from '../events/pattern';
import { badRequest } from '../http/request-error';

/** Whether an event passes a filter. */
export type EventPredicate = (event: ServerEvent) => boolean;

const MAX_FIELDS = 50;
/** Longest program of all patterns of a filter together, as they are matched with each event. */
const MAX_STEPS = 500;

/** The filter of a v1 socket, which is sent once: fields with the regular expressions that they must match. */
export const patternFilter = z.record(z.string().max(100), z.union([z.string(), z.number(), z.boolean()]));

/**
 * The filter of regular expressions (`platform-api.md` section 2.2). An empty expression is ignored.
 * @throws IotmpError IOTMP_ERR_REQUEST when an expression is not usable
 */
export function filterByPatterns(fields: z.infer<typeof patternFilter>): EventPredicate {
  const patterns = Object.entries(fields)
    .filter(([, source]) => source !== '')
    .slice(0, MAX_FIELDS)
    .map(([field, source]): [string, Pattern] => [field, new Pattern(String(source))]);
  const steps = patterns.reduce((sum, [, { size }]) => sum + size, 0);
  if (steps > MAX_STEPS) throw badRequest('the patterns repeat too much');
  return (event) =>
    patterns.every(([field, pattern]) => holds(event[field], (text) => pattern.matches(text)));
}

const scalar = z.union([z.string(), z.number(), z.boolean()]);

/** The filter of a v2 subscription: fields with the value, or one of the values, that they must have. */
export const equalityFilter = z.record(z.string().max(100), z.union([scalar, z.array(scalar).max(100)]));

/** The filter of equal values. */
export function filterByValues(event: string, fields: z.infer<typeof equalityFilter>): EventPredicate {
  const wanted = Object.entries(fields).map(([field, values]): [string, Set<string>] => [
    field,
    new Set([values].flat().map(String)),
  ]);
  return (one) =>
    one.event === event && wanted.every(([field, values]) => holds(one[field], (text) => values.has(text)));
}

/** Whether a value passes a test. Of a list, one member is enough. */
function holds(value: Value | undefined, test: (text: string) => boolean): boolean {
  if (Array.isArray(value)) return value.some((member) => holds(member, test));
  if (typeof value === 'string') return test(value);
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') {
    return test(String(value));
  }
  return false;
}
