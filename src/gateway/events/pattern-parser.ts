import { badRequest } from '../http/request-error';

/** A pattern, as a tree. */
export type PatternNode =
  | { readonly kind: 'char'; readonly takes: (char: string) => boolean }
  | { readonly kind: 'sequence'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly options: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly part: PatternNode; readonly min: number; readonly max: number }
  | { readonly kind: 'edge'; readonly at: 'start' | 'end' };

const MAX_PATTERN = 256;
const MAX_REPEAT = 100;
const CLASSES: Readonly<Record<string, RegExp>> = { d: /\d/, D: /\D/, w: /\w/, W: /\W/, s: /\s/, S: /\S/ };
const CONTROLS: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

/**
 * Reads the regular expressions that programs filter events with: characters, classes, groups, alternatives, and
 * repetitions. What needs to look around or back is not among them.
 * @throws IotmpError IOTMP_ERR_REQUEST
 */
export function parsePattern(source: string): PatternNode {
  if (source.length > MAX_PATTERN) throw badRequest(`a pattern has at most ${MAX_PATTERN} characters`);
  return new PatternParser(source).parse();
}

class PatternParser {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  parse(): PatternNode {
    const pattern = this.#choice();
    if (this.#at < this.#source.length) throw this.#fault();
    return pattern;
  }

  #choice(): PatternNode {
    const options = [this.#sequence()];
    while (this.#skip('|')) options.push(this.#sequence());
    return { kind: 'choice', options };
  }

  #sequence(): PatternNode {
    const parts: PatternNode[] = [];
    while (this.#at < this.#source.length && !this.#sees('|') && !this.#sees(')')) parts.push(this.#repeat());
    return { kind: 'sequence', parts };
  }

  #repeat(): PatternNode {
    const part = this.#atom();
    const bounds = this.#bounds();
    if (bounds === undefined) return part;
    // To take little or much makes no difference to whether it matches.
    this.#skip('?');
    const [min, max] = bounds;
    return { kind: 'repeat', part, min, max };
  }

  #bounds(): readonly [number, number] | undefined {
    if (this.#skip('*')) return [0, Infinity];
    if (this.#skip('+')) return [1, Infinity];
    if (this.#skip('?')) return [0, 1];
    const found = /^\{(\d+)(,?)(\d*)\}/.exec(this.#source.slice(this.#at));
    if (found === null) return undefined;
    const [all, least = '', comma, most = ''] = found;
    this.#at += all.length;
    const min = Number(least);
    const open = most === '' ? Infinity : Number(most);
    const max = comma === '' ? min : open;
    if (min > MAX_REPEAT || (max !== Infinity && max > MAX_REPEAT) || max < min) throw this.#fault();
    return [min, max];
  }

  #atom(): PatternNode {
    const char = this.#take();
    switch (char) {
      case '(':
        return this.#group();
      case '[':
        return this.#set();
      case '.':
        return { kind: 'char', takes: () => true };
      case '^':
        return { kind: 'edge', at: 'start' };
      case '$':
        return { kind: 'edge', at: 'end' };
      case '\\':
        return { kind: 'char', takes: this.#escape() };
      case '*':
      case '+':
      case '?':
        throw this.#fault();
      default:
        return { kind: 'char', takes: (other) => other === char };
    }
  }

  #group(): PatternNode {
    if (this.#skip('?') && !this.#skip(':')) throw this.#fault();
    const inner = this.#choice();
    if (!this.#skip(')')) throw this.#fault();
    return inner;
  }

  #set(): PatternNode {
    const isNegated = this.#skip('^');
    const members: ((char: string) => boolean)[] = [];
    while (!this.#skip(']')) members.push(this.#member());
    return { kind: 'char', takes: (char) => members.some((takes) => takes(char)) !== isNegated };
  }

  #member(): (char: string) => boolean {
    const from = this.#take();
    if (from === '\\') return this.#escape();
    const isRange = this.#sees('-') && this.#source[this.#at + 1] !== ']';
    if (!isRange) return (char) => char === from;
    this.#at++;
    const to = this.#take();
    if (to === '\\' || to < from) throw this.#fault();
    return (char) => char >= from && char <= to;
  }

  #escape(): (char: string) => boolean {
    const char = this.#take();
    const known = CLASSES[char];
    if (known !== undefined) return (other) => known.test(other);
    const literal = CONTROLS[char] ?? char;
    if (literal === char && /[a-zA-Z0-9]/.test(char)) throw this.#fault();
    return (other) => other === literal;
  }

  #take(): string {
    const char = this.#source[this.#at++];
    if (char === undefined) throw this.#fault();
    return char;
  }

  #sees(char: string): boolean {
    return this.#source[this.#at] === char;
  }

  #skip(char: string): boolean {
    if (!this.#sees(char)) return false;
    this.#at++;
    return true;
  }

  #fault(): Error {
    return badRequest(`the pattern ${JSON.stringify(this.#source)} is not usable at ${this.#at}`);
  }
}
