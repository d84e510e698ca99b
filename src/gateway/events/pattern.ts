import { badRequest } from '../http/request-error';
import { parsePattern, type PatternNode } from './pattern-parser';

/** A step of a program: takes a character, goes on at several steps, tests the place in the text, or is the end. */
type PatternStep =
  | { readonly kind: 'char'; readonly takes: (char: string) => boolean }
  | GoStep
  | { readonly kind: 'edge'; readonly at: 'start' | 'end' }
  | { readonly kind: 'done' };

interface GoStep {
  readonly kind: 'go';
  to: readonly number[];
}

/** The longest program, and the longest text. Their product bounds the time of a match. */
const MAX_STEPS = 500;
const MAX_TEXT = 1024;

/**
 * A regular expression that has to match a whole text (`platform-api.md` section 2.2). The expression comes from a
 * program, and the text may come from anybody. So all ways through the program are followed at once: the time is bounded
 * by the product of both lengths, and no expression can block the server.
 */
export class Pattern {
  readonly #steps: PatternStep[] = [];
  readonly #maxSteps: number;

  /**
   * @param maxSteps longest program, with all repetitions written out
   * @throws IotmpError IOTMP_ERR_REQUEST when the expression is not usable
   */
  constructor(source: string, maxSteps = MAX_STEPS) {
    this.#maxSteps = maxSteps;
    this.#emit(parsePattern(source));
    this.#push({ kind: 'done' });
  }

  /** Length of the program, with all repetitions written out. The time of a match is in proportion to it. */
  get size(): number {
    return this.#steps.length;
  }

  /** Whether the expression matches the whole text. Of a very long text only the beginning is read. */
  matches(whole: string): boolean {
    const text = whole.slice(0, MAX_TEXT);
    let places = this.#closure([0], 0, text.length);
    for (let at = 0; at < text.length && places.size > 0; at++) {
      const char = text.charAt(at);
      const next: number[] = [];
      for (const place of places) {
        const step = this.#steps[place];
        if (step?.kind === 'char' && step.takes(char)) next.push(place + 1);
      }
      places = this.#closure(next, at + 1, text.length);
    }
    return places.has(this.#steps.length - 1);
  }

  /** All steps that are reached without a character. */
  #closure(from: readonly number[], at: number, length: number): Set<number> {
    const places = new Set(from);
    for (const place of places) {
      const step = this.#steps[place];
      if (step?.kind === 'go') for (const to of step.to) places.add(to);
      else if (step?.kind === 'edge' && at === (step.at === 'start' ? 0 : length)) places.add(place + 1);
    }
    return places;
  }

  #emit(node: PatternNode): void {
    switch (node.kind) {
      case 'char':
      case 'edge':
        this.#push(node);
        return;
      case 'sequence':
        for (const part of node.parts) this.#emit(part);
        return;
      case 'choice':
        this.#emitChoice(node.options);
        return;
      case 'repeat':
        this.#emitRepeat(node.part, node.min, node.max);
    }
  }

  #emitChoice(options: readonly PatternNode[]): void {
    const begin = this.#go();
    const ends: GoStep[] = [];
    const starts = options.map((option) => {
      const start = this.#steps.length;
      this.#emit(option);
      ends.push(this.#go());
      return start;
    });
    begin.to = starts;
    for (const end of ends) end.to = [this.#steps.length];
  }

  #emitRepeat(part: PatternNode, min: number, max: number): void {
    for (let count = 0; count < min; count++) this.#emit(part);
    if (max === Infinity) {
      const start = this.#steps.length;
      const begin = this.#go();
      this.#emit(part);
      this.#go().to = [start];
      begin.to = [start + 1, this.#steps.length];
      return;
    }
    const skips: GoStep[] = [];
    for (let count = min; count < max; count++) {
      skips.push(this.#go());
      this.#emit(part);
    }
    const end = this.#steps.length;
    for (const skip of skips) skip.to = [...skip.to, end];
  }

  /** Adds a step that goes on with the next one, until its targets are set. */
  #go(): GoStep {
    const step: GoStep = { kind: 'go', to: [this.#steps.length + 1] };
    this.#push(step);
    return step;
  }

  #push(step: PatternStep): void {
    if (this.#steps.length >= this.#maxSteps) throw badRequest('the pattern repeats too much');
    this.#steps.push(step);
  }
}
