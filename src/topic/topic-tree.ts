/** What lies under one level of the filters. */
class TopicNode<T> {
  readonly children = new Map<string, TopicNode<T>>();
  readonly values = new Set<T>();

  get isEmpty(): boolean {
    return this.children.size === 0 && this.values.size === 0;
  }
}

/**
 * Values by topic filter. What a topic matches is found level by level: it costs the depth of the topic and the
 * wildcards that are in its way, not the number of filters. Levels are as `topic-name.ts` gives them.
 */
export class TopicTree<T> {
  readonly #root = new TopicNode<T>();
  #size = 0;

  /** Number of values, by filter. */
  get size(): number {
    return this.#size;
  }

  /** Adds a value under a filter; the same again under the same filter changes nothing. */
  add(filter: readonly string[], value: T): void {
    let node = this.#root;
    for (const level of filter) {
      let child = node.children.get(level);
      if (child === undefined) {
        child = new TopicNode();
        node.children.set(level, child);
      }
      node = child;
    }
    if (node.values.has(value)) return;
    node.values.add(value);
    this.#size++;
  }

  /** Takes a value out from under a filter; returns whether it was there. */
  delete(filter: readonly string[], value: T): boolean {
    const path = [this.#root];
    for (const level of filter) {
      const child = path.at(-1)?.children.get(level);
      if (child === undefined) return false;
      path.push(child);
    }
    if (path.at(-1)?.values.delete(value) !== true) return false;
    this.#size--;
    for (let depth = filter.length; depth > 0 && path[depth]?.isEmpty === true; depth--) {
      path[depth - 1]?.children.delete(filter[depth - 1] ?? '');
    }
    return true;
  }

  /**
   * All values whose filters match a topic, once for each filter. `+` and `#` as first level do not match a topic that
   * begins with `$`.
   */
  match(topic: readonly string[]): T[] {
    const found: T[] = [];
    const isHidden = topic[0]?.startsWith('$') === true;
    if (isHidden) descend(this.#root.children.get(topic[0] ?? ''), topic, 1, found);
    else collect(this.#root, topic, 0, found);
    return found;
  }
}

/** The values below a node that match the levels from `at` on. */
function collect<T>(node: TopicNode<T>, topic: readonly string[], at: number, found: T[]): void {
  const rest = node.children.get('#');
  if (rest !== undefined) addAll(rest.values, found);
  const level = topic[at];
  if (level === undefined) {
    addAll(node.values, found);
    return;
  }
  descend(node.children.get(level), topic, at + 1, found);
  descend(node.children.get('+'), topic, at + 1, found);
}

function descend<T>(node: TopicNode<T> | undefined, topic: readonly string[], at: number, found: T[]): void {
  if (node !== undefined) collect(node, topic, at, found);
}

function addAll<T>(values: Iterable<T>, found: T[]): void {
  for (const value of values) found.push(value);
}
