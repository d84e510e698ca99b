import { isMap, type Value } from '../types';

/** A value changed by a JSON merge patch (RFC 7396). Neither argument is changed; the result may share their parts. */
export function mergePatch(target: Value, patch: Value): Value {
  return isMap(patch) ? mergeMap(isMap(target) ? target : {}, patch) : patch;
}

/** A map changed by a JSON merge patch that is a map: the result is one, too. */
export function mergeMap(
  target: Readonly<Record<string, Value>>,
  patch: Readonly<Record<string, Value>>,
): Record<string, Value> {
  const members = new Map(Object.entries(target));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) members.delete(key);
    else members.set(key, mergePatch(members.get(key) ?? null, value));
  }
  return Object.fromEntries(members);
}
