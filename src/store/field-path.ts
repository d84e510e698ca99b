import { isMap, type Value } from '../types';
import { KeyTree } from './key-tree';

/**
 * The keys that a path such as `location.lat` means in a value, one after the other; `undefined` where it leads to nothing. A
 * key that has the dots itself comes first.
 */
export function keysAt(value: Value | undefined, path: string): readonly string[] | undefined {
  if (!isMap(value)) return undefined;
  if (Object.hasOwn(value, path)) return [path];
  for (let dot = path.indexOf('.'); dot >= 0; dot = path.indexOf('.', dot + 1)) {
    const key = path.slice(0, dot);
    const rest = Object.hasOwn(value, key) ? keysAt(value[key], path.slice(dot + 1)) : undefined;
    if (rest !== undefined) return [key, ...rest];
  }
  return undefined;
}

/** The member that a path leads to, or undefined. */
export function valueAt(value: Value | undefined, path: string): Value | undefined {
  let found = value;
  for (const key of keysAt(value, path) ?? [undefined]) {
    found = key !== undefined && isMap(found) ? found[key] : undefined;
  }
  return found;
}

/** Only the members of a map that the paths lead to, named and nested as they were. */
export function pickFields(value: Value, paths: readonly string[]): Record<string, Value> {
  const picked = new KeyTree<Value>();
  for (const path of paths) {
    const keys = keysAt(value, path);
    if (keys === undefined) continue;
    keys.reduce((place, key) => place.at(key), picked).leaf = valueAt(value, path);
  }
  return picked.toMap((member) => member);
}
