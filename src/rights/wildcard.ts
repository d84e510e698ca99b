/** Whether `text` is what a pattern with `*` stands for. Takes time in proportion to both, whatever they are. */
export function matchesWildcard(pattern: string, text: string): boolean {
  if (pattern === '*') return true;
  const [head = '', ...rest] = pattern.split('*');
  const tail = rest.pop();
  if (tail === undefined) return head === text;
  if (!text.startsWith(head) || !text.endsWith(tail) || text.length < head.length + tail.length) return false;
  let from = head.length;
  for (const part of rest) {
    const found = text.indexOf(part, from);
    if (found < 0) return false;
    from = found + part.length;
  }
  return from <= text.length - tail.length;
}
