/** Longest text of a line, in characters. */
const MAX_LENGTH = 1000;
/**
 * Control characters, line breaks, characters that turn the direction of text, and whatever else is not seen: with them a text of a
 * peer could look like another line, or like other words.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}\u2800]/u;
const ALL_UNSEEN = new RegExp(UNSEEN.source, 'gu');
const NAMES: ReadonlyMap<string, string> = new Map([
  ['\n', String.raw`\n`],
  ['\r', String.raw`\r`],
  ['\t', String.raw`\t`],
]);

/** Half of a character of two units, at the end of a text that was cut there. */
const HALF = /[\ud800-\udbff]$/;

/**
 * A text for a line of a log, an event or a status, whoever wrote it: what is not seen is escaped, and a long text is cut.
 * Escaping it again changes nothing.
 * @param maxLength of the outcome, in characters
 */
export function printable(text: string, maxLength = MAX_LENGTH): string {
  const short = cut(text, maxLength);
  return UNSEEN.test(short) ? cut(short.replace(ALL_UNSEEN, escaped), maxLength) : short;
}

/** A value as JSON for a line: what is not seen is escaped as JSON has it. {@link printable} leaves it, but for its length. */
export function printableJson(value: object): string {
  return JSON.stringify(value).replace(ALL_UNSEEN, (character) => character.replace(/[^]/g, unitEscaped));
}

function cut(text: string, maxLength: number): string {
  return text.length > maxLength ? `${text.slice(0, maxLength - 1).replace(HALF, '')}…` : text;
}

function unitEscaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function escaped(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16);
  return NAMES.get(character) ?? (code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`);
}
