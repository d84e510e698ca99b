import { MAX_INTEGER, MIN_INTEGER } from './constants';

/** JSON.parse may round a number of so many digits, or make an infinity of such an exponent. */
const LONG_NUMBER = /\d{16}|\d[eE]\+?\d{3}/;
const WHOLE_NUMBER = /^-?\d+$/;
/** A number as it is written in the one way that JSON has for it, without an exponent. */
const PLAIN_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?$/;
/** So many digits survive in a number, whatever they are. */
const SAFE_DIGITS = 15;

/**
 * Reads JSON without changing a whole number on the way: past 2^53 it is a BigInt, past 64 bits it is its decimal text
 * unless a number holds it exactly. Numbers past the largest one are their text, too.
 * @throws SyntaxError
 */
export function parseExactJson(text: string): unknown {
  if (!LONG_NUMBER.test(text)) return JSON.parse(text);
  // The type of JSON.parse does not have the third parameter of revivers yet, the source text.
  return Reflect.apply(JSON.parse, JSON, [text, keepDigits]);
}

/**
 * The number that a text means, if writing that number gives the text again: `21.5` and `-3`, but neither `007` nor `21.50`.
 * A whole number past 2^53 is a BigInt. `undefined` for every other text.
 */
export function canonicalNumber(text: string): number | bigint | undefined {
  if (!PLAIN_NUMBER.test(text)) return undefined;
  const number = Number(text);
  if (!WHOLE_NUMBER.test(text) || Number.isSafeInteger(number)) {
    return String(number) === text ? number : undefined;
  }
  return integerOf(text);
}

/**
 * The number that a text means, if it has the same value and not too many digits to be held: `21.50` is 21.5, but `007` and
 * whole numbers past 2^53 are no numbers. For texts of a place where numbers are expected, such as a query.
 */
export function decimalNumber(text: string): number | undefined {
  if (!PLAIN_NUMBER.test(text)) return undefined;
  const number = Number(text);
  if (WHOLE_NUMBER.test(text)) return Number.isSafeInteger(number) ? number : undefined;
  const isExact = text.replace(/^[-0.]+|\./g, '').length <= SAFE_DIGITS || String(number) === text;
  return isExact ? number : undefined;
}

/** An integer that PSON carries. */
function integerOf(text: string): bigint | undefined {
  const integer = BigInt(text);
  return integer >= MIN_INTEGER && integer <= MAX_INTEGER ? integer : undefined;
}

function keepDigits(_key: string, value: unknown, { source }: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value) || source === undefined) return value;
  if (!Number.isFinite(value)) return source;
  if (!WHOLE_NUMBER.test(source)) return value;
  const isHeld = String(value) === source || BigInt(value) === BigInt(source);
  return integerOf(source) ?? (isHeld ? value : source);
}
