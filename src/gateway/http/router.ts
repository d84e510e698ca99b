import { patternShape, PathTrie } from '../../util/path-trie';

/** The part of a route that it is found by. */
export interface Routed {
  /** Such as `GET`. */
  readonly method: string;
  /** A slash and the segments of a {@link PathTrie}, such as `/devices/:device/*resource/api`. */
  readonly path: string;
}

/** The routes of a path. */
export interface RouteMatch<T extends Routed> {
  /** By method. */
  readonly routes: ReadonlyMap<string, T>;
  readonly captures: Readonly<Record<string, string>>;
}

/** Finds the routes of a path. */
export class Router<T extends Routed> {
  readonly #trie = new PathTrie<ReadonlyMap<string, T>>();

  constructor(routes: Iterable<T>) {
    const byShape = Map.groupBy(routes, ({ path }) => patternShape(segmentsOf(path)));
    for (const group of byShape.values()) {
      // The captures of routes that differ only in their methods are named by the first.
      const pattern = segmentsOf(group[0]?.path ?? '');
      this.#trie.set(pattern, new Map(group.map((route) => [route.method, route])));
    }
  }

  /** The routes whose path takes these segments. */
  find(segments: readonly string[]): RouteMatch<T> | undefined {
    const match = this.#trie.find(segments);
    return match && { routes: match.value, captures: match.captures };
  }
}

function segmentsOf(path: string): string[] {
  return path.slice(1).split('/');
}
