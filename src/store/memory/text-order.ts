/** The order of two texts by their code points, as SQLite has it, too. */
export function compareTexts(one: string, other: string): number {
  if (one === other) return 0;
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
