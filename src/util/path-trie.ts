/** The value that a path led to, and the parts of the path that the captures of its pattern took. */
export interface PathMatch<T> {
  readonly value: T;
  readonly captures: Readonly<Record<string, string>>;
}

interface TrieNode<T> {
  readonly literals: Map<string, TrieNode<T>>;
  segment: TrieNode<T> | undefined;
  /** Patterns that go on with `*name`, by the literal behind it; '' where there is none. */
  rests: Map<string, Leaf<T>> | undefined;
  /** The pattern that goes on with `**name`. */
  remainder: Leaf<T> | undefined;
  /** The pattern that ends here. */
  leaf: Leaf<T> | undefined;
}

interface Leaf<T> {
  readonly value: T;
  readonly names: readonly string[];
}

/** The captures of a path that has none. */
export const NO_CAPTURES: Readonly<Record<string, string>> = Object.freeze({});

/** What a capture begins with. */
const CAPTURE = /^(?::|\*\*?)/;

/**
 * Values under path patterns. A segment of a pattern is a literal or a capture:
 * - `:name` takes one segment, which must not be empty.
 * - `*name` takes one or more segments, with a slash at the end of the path. One literal may follow it, which ends the
 *   path.
 * - `**name` takes the rest of the path as it is. It may be empty where a slash is before it.
 *
 * A literal wins over `:name`, and `:name` over the other two. Finding a path costs its length, however many patterns
 * there are.
 */
export class PathTrie<T> {
  readonly #root: TrieNode<T> = newNode();

  /** Adds a pattern, given by its segments. It replaces one of the same {@link patternShape}. */
  set(pattern: readonly string[], value: T): void {
    const names = pattern.filter(isCapture).map((segment) => segment.replace(CAPTURE, ''));
    const leaf = { value, names };
    let node = this.#root;
    for (const [index, segment] of pattern.entries()) {
      if (segment.startsWith('**')) {
        node.remainder = leaf;
        return;
      }
      if (segment.startsWith('*')) {
        node.rests ??= new Map();
        node.rests.set(pattern[index + 1] ?? '', leaf);
        return;
      }
      node = segment.startsWith(':') ? (node.segment ??= newNode()) : literalChild(node, segment);
    }
    node.leaf = leaf;
  }

  /** Finds the pattern that takes a path, given by its segments. */
  find(path: readonly string[]): PathMatch<T> | undefined {
    const taken: string[] = [];
    const leaf = descend(this.#root, path, 0, taken);
    if (leaf === undefined) return undefined;
    const captures = leaf.names.map((name, index): [string, string] => [name, taken[index] ?? '']);
    return { value: leaf.value, captures: Object.fromEntries(captures) };
  }
}

/** Whether a segment of a pattern is a capture. */
export function isCapture(segment: string): boolean {
  return segment.startsWith(':') || segment.startsWith('*');
}

/** The pattern without the names of its captures: patterns of one shape take the same paths. */
export function patternShape(pattern: readonly string[]): string {
  return pattern.map((segment) => CAPTURE.exec(segment)?.[0] ?? segment).join('/');
}

function newNode<T>(): TrieNode<T> {
  return { literals: new Map(), segment: undefined, rests: undefined, remainder: undefined, leaf: undefined };
}

function literalChild<T>(node: TrieNode<T>, segment: string): TrieNode<T> {
  let child = node.literals.get(segment);
  if (child === undefined) {
    child = newNode();
    node.literals.set(segment, child);
  }
  return child;
}

function descend<T>(
  node: TrieNode<T>,
  path: readonly string[],
  index: number,
  taken: string[],
): Leaf<T> | undefined {
  const segment = path[index];
  if (segment === undefined) return node.leaf;
  const literal = node.literals.get(segment);
  const byLiteral = literal && descend(literal, path, index + 1, taken);
  if (byLiteral !== undefined) return byLiteral;
  if (node.segment !== undefined && segment !== '') {
    taken.push(segment);
    const bySegment = descend(node.segment, path, index + 1, taken);
    if (bySegment !== undefined) return bySegment;
    taken.pop();
  }
  return takeRest(node, path, index, taken);
}

function takeRest<T>(
  { rests, remainder }: TrieNode<T>,
  path: readonly string[],
  index: number,
  taken: string[],
): Leaf<T> | undefined {
  if (remainder !== undefined) {
    taken.push(path.slice(index).join('/'));
    return remainder;
  }
  if (rests === undefined) return undefined;
  const last = path.length - 1;
  const { [last]: literal = '' } = path;
  const ended = index < last && literal !== '' ? rests.get(literal) : undefined;
  const rest = path.slice(index, ended === undefined ? undefined : last).join('/');
  const leaf = ended ?? rests.get('');
  if (leaf === undefined || rest === '') return undefined;
  taken.push(rest);
  return leaf;
}
