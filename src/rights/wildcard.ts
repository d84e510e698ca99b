/** Whether `text` is what a pattern with `*` stands for. Takes time in proportion to both, whatever they are. */
export function matchesWildcard(pattern: string, text: string): boolean {
  return pattern === '*' || matchesParts(pattern.split('*'), text);
}

/** As {@link matchesWildcard}, for a pattern that many texts are compared with. */
export function wildcardMatcher(pattern: string): (text: string) => boolean {
  if (pattern === '*') return () => true;
  if (!pattern.includes('*')) return (text) => text === pattern;
  const parts = pattern.split('*');
  return (text) => matchesParts(parts, text);
}

/** @param parts of the pattern, between its `*` */
function matchesParts(parts: readonly string[], text: string): boolean {
  const head = parts[0] ?? '';
  const last = parts.length - 1;
  if (last < 1) return head === text;
  const tail = parts[last] ?? '';
  if (!text.startsWith(head) || !text.endsWith(tail) || text.length < head.length + tail.length) return false;
  let from = head.length;
  for (let at = 1; at < last; at++) {
    const part = parts[at] ?? '';
    const found = text.indexOf(part, from);
    if (found < 0) return false;
    from = found + part.length;
  }
  return from <= text.length - tail.length;
}
