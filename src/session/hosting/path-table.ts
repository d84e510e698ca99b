import { IotmpError } from '../../errors';

/** What a path matched, and what its `:name` and `*name` segments took. */
export interface PathMatch<T> {
  readonly value: T;
  readonly captures: Readonly<Record<string, string>>;
}

interface PathNode<T> {
  readonly literals: Map<string, PathNode<T>>;
  segment?: PathNode<T>;
  rest?: Leaf<T>;
  leaf?: Leaf<T>;
}

interface Leaf<T> {
  readonly value: T;
  readonly names: readonly string[];
}

const NO_CAPTURES: Readonly<Record<string, string>> = Object.freeze({});
const CAPTURE_NAME = /^[A-Za-z_]\w*$/;

/**
 * Values under path patterns (`protocol.md` section 5): `:name` takes one segment, a last `*name` the rest of
 * the path. A literal segment wins over `:name`, and that over `*name`. Finding a path costs its own length,
 * however many patterns there are.
 */
export class PathTable<T> {
  readonly #exact = new Map<string, T>();
  /** By shape: patterns that differ only in the names of their captures take the same paths. */
  readonly #patterns = new Map<string, { readonly pattern: string; readonly value: T }>();
  #root: PathNode<T> = newNode();

  /** Number of patterns. */
  get size(): number {
    return this.#exact.size + this.#patterns.size;
  }

  /**
   * Adds a pattern. One that takes the very same paths is replaced.
   * @throws IotmpError IOTMP_ERR_CONFIG when the pattern is not usable
   */
  set(pattern: string, value: T): void {
    const segments = parsePattern(pattern);
    if (!segments.some(isCapture)) {
      this.#exact.set(pattern, value);
      return;
    }
    this.#patterns.set(shapeOf(pattern), { pattern, value });
    this.#insert(segments, value);
  }

  /** Whether a pattern is there that takes the very same paths. */
  has(pattern: string): boolean {
    return this.#exact.has(pattern) || this.#patterns.has(shapeOf(pattern));
  }

  /** Removes a pattern; one that is not there is no error. */
  delete(pattern: string): void {
    if (this.#exact.delete(pattern) || !this.#patterns.delete(shapeOf(pattern))) return;
    this.#root = newNode();
    for (const kept of this.#patterns.values()) this.#insert(kept.pattern.split('/'), kept.value);
  }

  /** The value whose pattern takes `path`. */
  find(path: string): PathMatch<T> | undefined {
    const exact = this.#exact.get(path);
    if (exact !== undefined) return { value: exact, captures: NO_CAPTURES };
    if (this.#patterns.size === 0) return undefined;
    const taken: string[] = [];
    const leaf = descend(this.#root, path.split('/'), 0, taken);
    if (leaf === undefined) return undefined;
    const captures = leaf.names.map((name, index): [string, string] => [name, taken[index] ?? '']);
    return { value: leaf.value, captures: Object.fromEntries(captures) };
  }

  /** All patterns with their values, in the order in which they were added, exact ones first. */
  *entries(): IterableIterator<[string, T]> {
    yield* this.#exact;
    for (const { pattern, value } of this.#patterns.values()) yield [pattern, value];
  }

  #insert(segments: readonly string[], value: T): void {
    const names = segments.filter(isCapture).map((segment) => segment.slice(1));
    let node = this.#root;
    for (const segment of segments) {
      if (segment.startsWith('*')) {
        node.rest = { value, names };
        return;
      }
      node = segment.startsWith(':') ? (node.segment ??= newNode()) : literalChild(node, segment);
    }
    node.leaf = { value, names };
  }
}

/**
 * The segments of a pattern.
 * @throws IotmpError IOTMP_ERR_CONFIG with the reason when it is not usable
 */
export function parsePattern(pattern: string): string[] {
  const refuse = (reason: string): never => {
    throw new IotmpError('IOTMP_ERR_CONFIG', `resource "${pattern}": ${reason}`);
  };
  if (pattern === '') return refuse('a name is needed');
  if (pattern.startsWith('/')) return refuse('a path has no leading slash');
  const segments = pattern.split('/');
  const names = segments.filter(isCapture).map((segment) => segment.slice(1));
  for (const name of names) if (!CAPTURE_NAME.test(name)) refuse(`":${name}" is not a usable name`);
  if (new Set(names).size !== names.length) refuse('a name is used twice');
  if (segments.slice(0, -1).some((segment) => segment.startsWith('*')))
    refuse('"*" must be the last segment');
  return segments;
}

/** Whether a name is a pattern that takes several paths. */
export function isPattern(name: string): boolean {
  return name.split('/').some(isCapture);
}

/** The pattern without the names of its captures. */
function shapeOf(pattern: string): string {
  const segments = pattern.split('/');
  return segments.map((segment) => (isCapture(segment) ? segment.charAt(0) : segment)).join('/');
}

function isCapture(segment: string): boolean {
  return segment.startsWith(':') || segment.startsWith('*');
}

function newNode<T>(): PathNode<T> {
  return { literals: new Map() };
}

function literalChild<T>(node: PathNode<T>, segment: string): PathNode<T> {
  let child = node.literals.get(segment);
  if (child === undefined) {
    child = newNode();
    node.literals.set(segment, child);
  }
  return child;
}

function descend<T>(
  node: PathNode<T>,
  segments: readonly string[],
  index: number,
  taken: string[],
): Leaf<T> | undefined {
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
  if (node.rest !== undefined) taken.push(segments.slice(index).join('/'));
  return node.rest;
}
