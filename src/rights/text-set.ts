/** Any run of characters. */
const ANY = -1;
/** Any run of characters without a slash. */
const LEVEL = -2;
/** What follows the last symbol of a set. It is equal to nothing. */
const END = Number.NaN;

const SLASH = 47;
const STAR = 42;

/** A set of texts: characters by their code, {@link ANY} and {@link LEVEL}. */
export type TextSet = readonly number[];

/** All texts. */
export const ALL_TEXTS: TextSet = [ANY];

/** The texts that begin with this one. */
export function startingWith(text: string): TextSet {
  return [...codesOf(text), ANY];
}

/** The one text. */
export function codesOf(text: string): number[] {
  return Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));
}

/** The texts that a pattern with `*` stands for. */
export function wildcardSet(pattern: string): TextSet {
  return codesOf(pattern).map((code) => (code === STAR ? ANY : code));
}

/**
 * The topics that a filter of MQTT stands for, in one set or two: `a/#` is also `a` itself.
 * @param hasStars whether `*` stands for any run of characters, as in rules, but not in filters
 */
export function topicSets(filter: string, hasStars: boolean): readonly TextSet[] {
  const levels = filter.split('/');
  const isTree = levels.at(-1) === '#';
  const fixed = isTree ? levels.slice(0, -1) : levels;
  const set = fixed.flatMap((level, at) => [...(at > 0 ? [SLASH] : []), ...levelSet(level, hasStars)]);
  if (!isTree) return [set];
  return fixed.length === 0 ? [ALL_TEXTS] : [[...set, SLASH, ANY], set];
}

/** Whether some text is in both sets. Takes time in proportion to the product of their lengths at most. */
export function overlaps(one: TextSet, other: TextSet): boolean {
  return meet(one, other, true);
}

/** Whether the first set has all texts of the second. */
export function includesAll(whole: TextSet, part: TextSet): boolean {
  return meet(whole, part, false);
}

function levelSet(level: string, hasStars: boolean): TextSet {
  if (level === '+') return [LEVEL];
  return hasStars ? wildcardSet(level) : codesOf(level);
}

/**
 * Walks through two sets at once. After each symbol of the second it is known which positions of the first can be reached.
 * @param isMutual whether wildcards of the second take symbols of the first, as those of the first do
 */
function meet(first: TextSet, second: TextSet, isMutual: boolean): boolean {
  let reached = new Uint8Array(first.length + 1);
  let next = new Uint8Array(first.length + 1);
  reached[0] = 1;
  for (let at = 0; at <= second.length; at++) {
    const right = second[at] ?? END;
    for (let i = 0; i <= first.length; i++) {
      if (reached[i] === 0) continue;
      const left = first[i] ?? END;
      if (left < 0 || (isMutual && right < 0 && takes(right, left))) reached[i + 1] = 1;
      if ((isMutual && right < 0) || (left < 0 && takes(left, right))) next[i] = 1;
      if (left >= 0 && left === right) next[i + 1] = 1;
    }
    if (at === second.length) break;
    if (!next.includes(1)) return false;
    [reached, next] = [next, reached.fill(0)];
  }
  return reached[first.length] === 1;
}

/** Whether a wildcard takes a symbol of the other set. */
function takes(wildcard: number, symbol: number): boolean {
  if (Number.isNaN(symbol)) return false;
  return wildcard === ANY || (symbol !== SLASH && symbol !== ANY);
}
