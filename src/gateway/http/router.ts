/** A route, as far as finding it is concerned. */
export interface Routed {
  /** Such as `GET`. */
  readonly method: string;
  /**
   * Segments of which `:name` takes one and `*name` the rest, one or more. After `*name` may come one literal:
   * `/devices/:device/*resource/api`. A slash at the end of the rest is no part of it. `**name` takes the rest as it is,
   * with such a slash, and may be empty where there is one before it.
   */
  readonly path: string;
}

/** What a path led to. */
export interface RouteMatch<T extends Routed> {
  /** The routes of this path by method. */
  readonly routes: ReadonlyMap<string, T>;
  readonly captures: Readonly<Record<string, string>>;
}

interface RouteNode<T> {
  readonly literals: Map<string, RouteNode<T>>;
  segment?: RouteNode<T>;
  /** Where the rest of the path may go, by the literal that ends it; '' is any end. */
  readonly rests: Map<string, RouteLeaf<T>>;
  /** Where the rest goes as it is. */
  whole?: RouteLeaf<T>;
  leaf?: RouteLeaf<T>;
}

interface RouteLeaf<T> {
  readonly names: readonly string[];
  readonly routes: Map<string, T>;
}

/**
 * Finds the routes of a path. A literal segment wins over `:name`, that over `*name`. The cost is the length of the
 * path, however many routes there are.
 */
export class Router<T extends Routed> {
  readonly #root: RouteNode<T> = newNode();

  constructor(routes: Iterable<T>) {
    for (const route of routes) this.#add(route);
  }

  /** The routes whose path takes these segments. */
  find(segments: readonly string[]): RouteMatch<T> | undefined {
    const taken: string[] = [];
    const leaf = descend(this.#root, segments, 0, taken);
    if (leaf === undefined) return undefined;
    const captures = leaf.names.map((name, index): [string, string] => [name, taken[index] ?? '']);
    return { routes: leaf.routes, captures: Object.fromEntries(captures) };
  }

  #add(route: T): void {
    const segments = route.path.slice(1).split('/');
    const names = segments
      .filter((segment) => /^[:*]/.test(segment))
      .map((segment) => segment.replace(/^(:|\*\*?)/, ''));
    let node = this.#root;
    for (const [index, segment] of segments.entries()) {
      if (segment.startsWith('**')) {
        node.whole ??= { names, routes: new Map() };
        node.whole.routes.set(route.method, route);
        return;
      }
      if (segment.startsWith('*')) {
        const end = segments[index + 1] ?? '';
        const leaf = node.rests.get(end) ?? { names, routes: new Map<string, T>() };
        node.rests.set(end, leaf);
        leaf.routes.set(route.method, route);
        return;
      }
      node = segment.startsWith(':') ? (node.segment ??= newNode()) : literalChild(node, segment);
    }
    node.leaf ??= { names, routes: new Map() };
    node.leaf.routes.set(route.method, route);
  }
}

function newNode<T>(): RouteNode<T> {
  return { literals: new Map(), rests: new Map() };
}

function literalChild<T>(node: RouteNode<T>, segment: string): RouteNode<T> {
  const child = node.literals.get(segment) ?? newNode();
  node.literals.set(segment, child);
  return child;
}

function descend<T>(
  node: RouteNode<T>,
  segments: readonly string[],
  index: number,
  taken: string[],
): RouteLeaf<T> | undefined {
  const segment = segments[index];
  if (segment === undefined) return node.leaf;
  const literal = node.literals.get(segment);
  const byLiteral = literal && descend(literal, segments, index + 1, taken);
  if (byLiteral !== undefined) return byLiteral;
  if (node.segment !== undefined && segment !== '') {
    taken.push(segment);
    const bySegment = descend(node.segment, segments, index + 1, taken);
    if (bySegment !== undefined) return bySegment;
    taken.pop();
  }
  return takeRest(node, segments.slice(index), taken);
}

function takeRest<T>(
  { rests, whole }: RouteNode<T>,
  rest: readonly string[],
  taken: string[],
): RouteLeaf<T> | undefined {
  if (whole !== undefined) {
    taken.push(rest.join('/'));
    return whole;
  }
  const ended = rest.length > 1 ? rests.get(rest.at(-1) ?? '') : undefined;
  const path = (ended === undefined ? rest : rest.slice(0, -1)).join('/');
  const leaf = ended ?? rests.get('');
  if (leaf === undefined || path === '') return undefined;
  taken.push(path);
  return leaf;
}
