import type { ServerEvent } from '../../broker/event-feed';
import { matchesWildcard } from '../../rights/wildcard';
import { isMap, type Value } from '../../types';
import { badRequest } from '../service-name';

/** A value that a filter wants for a field. In a text, `*` stands for any run of characters. */
type Wanted = string | number | boolean | null;

/** Maximum number of fields in a filter. */
const MAX_FIELDS = 16;
/** Maximum length of a field name, of a wanted text, and of a text that is matched with `*`, in characters. */
const MAX_TEXT = 256;

/**
 * Chooses among events by their fields: `{"device": "pump", "state": "*connected"}`. All fields must match. A
 * text matches a text or the digits of a number, with `*` for any run of characters. Every other value matches an equal
 * value. A list matches if one of its items matches. A text of more than 256 characters is matched as a whole,
 * without `*`.
 */
export class EventFilter {
  readonly #fields: readonly (readonly [string, Wanted])[];

  /** @throws IotmpError IOTMP_ERR_PROTOCOL unless `filters` is a map of wanted values, or missing: then all events pass */
  constructor(filters: Value | undefined) {
    this.#fields = filters === undefined || filters === null ? [] : fieldsOf(filters);
  }

  /** The one value that the filter wants for a field; `undefined` where it lets several pass. */
  wants(field: string): Wanted | undefined {
    const [, wanted] = this.#fields.find(([name]) => name === field) ?? [];
    return typeof wanted === 'string' && wanted.includes('*') ? undefined : wanted;
  }

  matches(event: ServerEvent): boolean {
    return this.#fields.every(([field, wanted]) => {
      const value = Object.hasOwn(event, field) ? event[field] : undefined;
      return Array.isArray(value)
        ? value.some((item) => matchesValue(wanted, item))
        : matchesValue(wanted, value);
    });
  }
}

function fieldsOf(filters: Value): (readonly [string, Wanted])[] {
  if (!isMap(filters)) throw badRequest('filters must be a map of fields');
  const fields = Object.entries(filters);
  if (fields.length > MAX_FIELDS) throw badRequest(`filters can name ${MAX_FIELDS} fields at most`);
  return fields.map(([field, wanted]) => {
    if (field.length > MAX_TEXT) throw badRequest('the name of a field is too long');
    return [field, checkedWanted(field, wanted)] as const;
  });
}

function checkedWanted(field: string, wanted: Value): Wanted {
  if (wanted === null || typeof wanted === 'number' || typeof wanted === 'boolean') return wanted;
  if (typeof wanted !== 'string')
    throw badRequest(`the filter of ${field} must be a text, number or boolean`);
  if (wanted.length > MAX_TEXT) throw badRequest(`the filter of ${field} is too long`);
  return wanted;
}

function matchesValue(wanted: Wanted, value: Value | undefined): boolean {
  if (typeof wanted !== 'string') return value === wanted;
  if (typeof value === 'string') return matchesText(wanted, value);
  if (typeof value === 'number' || typeof value === 'boolean') return matchesText(wanted, String(value));
  return false;
}

function matchesText(pattern: string, text: string): boolean {
  if (!pattern.includes('*')) return pattern === text;
  return text.length <= MAX_TEXT && matchesWildcard(pattern, text);
}
