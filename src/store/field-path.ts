import { isMap, type Value } from '../types';

/** The member that a path such as `location.lat` leads to, or undefined. A key that has the dots itself comes first. */
export function valueAt(value: Value | undefined, path: string): Value | undefined {
  if (!isMap(value)) return undefined;
  if (Object.hasOwn(value, path)) return value[path];
  for (let dot = path.indexOf('.'); dot >= 0; dot = path.indexOf('.', dot + 1)) {
    const found = Object.hasOwn(value, path.slice(0, dot))
      ? valueAt(value[path.slice(0, dot)], path.slice(dot + 1))
      : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Only the members of a map that the paths lead to, nested as they were. */
export function pickFields(value: Value, paths: readonly string[]): Record<string, Value> {
  const found: [string, Value][] = [];
  for (const path of paths) {
    const member = valueAt(value, path);
    if (member !== undefined) found.push([path, member]);
  }
  return nest(found);
}

/** A path of more levels than this stays one key: the dots in it are hardly meant as levels. */
const MAX_LEVELS = 32;

type Tree = Map<string, TreeNode>;
type TreeNode = { readonly branch: Tree } | { readonly leaf: Value };

/**
 * Makes a map of members that are named by paths: `location.lat` becomes a member of `location`. Where `location` is
 * itself among the paths, `location.lat` stays one key.
 */
export function nest(members: readonly (readonly [path: string, value: Value])[]): Record<string, Value> {
  const root: Tree = new Map();
  const paths = new Set(members.map(([path]) => path));
  for (const [path, leaf] of members) {
    const levels = path.split('.', MAX_LEVELS + 1);
    const isOneKey =
      levels.length > MAX_LEVELS ||
      levels.some((_, index) => index > 0 && paths.has(levels.slice(0, index).join('.')));
    plant(root, isOneKey ? [path] : levels, leaf);
  }
  return toMap(root);
}

function plant(tree: Tree, [key = '', ...rest]: readonly string[], leaf: Value): void {
  if (rest.length === 0) {
    tree.set(key, { leaf });
    return;
  }
  const there = tree.get(key);
  const branch: Tree = there !== undefined && 'branch' in there ? there.branch : new Map<string, TreeNode>();
  tree.set(key, { branch });
  plant(branch, rest, leaf);
}

/** `fromEntries` makes plain own members, also of a key such as `__proto__`. */
function toMap(tree: Tree): Record<string, Value> {
  return Object.fromEntries(
    [...tree].map(([key, node]) => [key, 'leaf' in node ? node.leaf : toMap(node.branch)]),
  );
}
