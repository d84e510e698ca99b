import { z } from 'zod';
import type { ServerEvent } from '../../broker/event-feed';
import type { Value } from '../../types';
import { Pattern } from '../events/pattern';
import { badRequest } from '../http/request-error';

/** Tells which events somebody wants. */
export type EventPredicate = (event: ServerEvent) => boolean;

const MAX_FIELDS = 50;
/** Length of all patterns of a filter, with all their repetitions: each event is held against them. */
const MAX_STEPS = 500;

/** What a v1 socket sends once: fields with the regular expressions that they have to match. */
export const patternFilter = z.record(z.string().max(100), z.union([z.string(), z.number(), z.boolean()]));

/**
 * The filter that regular expressions describe (`platform-api.md` section 2.2). Empty ones say nothing.
 * @throws IotmpError IOTMP_ERR_REQUEST when one is not usable
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

/** What a v2 subscription asks of fields: to be equal to something, or to one of several things. */
export const equalityFilter = z.record(z.string().max(100), z.union([scalar, z.array(scalar).max(100)]));

/** The filter of a v2 subscription. */
export function filterByValues(event: string, fields: z.infer<typeof equalityFilter>): EventPredicate {
  const wanted = Object.entries(fields).map(([field, values]): [string, Set<string>] => [
    field,
    new Set([values].flat().map(String)),
  ]);
  return (one) =>
    one.event === event && wanted.every(([field, values]) => holds(one[field], (text) => values.has(text)));
}

/** Of a list, one member is enough. */
function holds(value: Value | undefined, test: (text: string) => boolean): boolean {
  if (Array.isArray(value)) return value.some((member) => holds(member, test));
  if (typeof value === 'string') return test(value);
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') {
    return test(String(value));
  }
  return false;
}
