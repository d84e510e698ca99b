import { IotmpError } from '../../errors';
import { isCapture, NO_CAPTURES, patternShape, PathTrie, type PathMatch } from '../../util/path-trie';

const CAPTURE_NAME = /^[A-Za-z_]\w*$/;

/**
 * Values under path patterns (`protocol.md` section 5): `:name` takes one segment, and `*name` as the last segment the
 * rest of the path, also an empty one. A literal segment wins over `:name`, and `:name` over `*name`. Finding a path
 * costs its length, however many patterns there are.
 */
export class PathTable<T> {
  readonly #exact = new Map<string, T>();
  /** By shape: patterns that differ only in the names of their captures take the same paths. */
  readonly #patterns = new Map<string, { readonly pattern: string; readonly value: T }>();
  /** The patterns once more; made for the first one, as most devices have none. */
  #trie: PathTrie<T> | undefined;

  /** Number of patterns. */
  get size(): number {
    return this.#exact.size + this.#patterns.size;
  }

  /**
   * Adds a pattern. It replaces one that takes the same paths.
   * @throws IotmpError IOTMP_ERR_CONFIG when the pattern is not usable
   */
  set(pattern: string, value: T): void {
    const segments = parsePattern(pattern);
    if (!segments.some(isCapture)) {
      this.#exact.set(pattern, value);
      return;
    }
    this.#patterns.set(patternShape(segments), { pattern, value });
    this.#insert(segments, value);
  }

  /** Whether the table has a pattern that takes the same paths. */
  has(pattern: string): boolean {
    return this.#exact.has(pattern) || this.#patterns.has(patternShape(pattern.split('/')));
  }

  /** Removes a pattern. A pattern that is not in the table is no error. */
  delete(pattern: string): void {
    if (this.#exact.delete(pattern) || !this.#patterns.delete(patternShape(pattern.split('/')))) return;
    this.#trie = undefined;
    for (const kept of this.#patterns.values()) this.#insert(kept.pattern.split('/'), kept.value);
  }

  /** Finds the pattern that takes `path`. */
  find(path: string): PathMatch<T> | undefined {
    const exact = this.#exact.get(path);
    if (exact !== undefined) return { value: exact, captures: NO_CAPTURES };
    return this.#trie?.find(path.split('/'));
  }

  /** All patterns with their values, those without captures first, in the order in which they were added. */
  *entries(): IterableIterator<[string, T]> {
    yield* this.#exact;
    for (const { pattern, value } of this.#patterns.values()) yield [pattern, value];
  }

  #insert(segments: readonly string[], value: T): void {
    this.#trie ??= new PathTrie();
    this.#trie.set(segments.map(trieSegment), value);
  }
}

/**
 * The segments of a pattern.
 * @throws IotmpError IOTMP_ERR_CONFIG with the reason when the pattern is not usable
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

/** The `*name` of a resource takes what the `**name` of the trie takes. */
function trieSegment(segment: string): string {
  return segment.startsWith('*') ? `*${segment}` : segment;
}
