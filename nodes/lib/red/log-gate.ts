import { BoundedMap } from '../../../src';

/** Maximum number of lines that are remembered of one subject. The line seen longest ago is forgotten first. */
const MAX_TEXTS = 100;

/** Lets the first of equal lines into the log and holds back its repetitions, also where several lines alternate. */
export class LogGate {
  readonly #seen = new Map<string, BoundedMap<string, true>>();

  /** Whether a line about a subject was not seen yet. */
  isNews(subject: string, text: string): boolean {
    const texts = this.#seen.get(subject) ?? new BoundedMap<string, true>(MAX_TEXTS);
    this.#seen.set(subject, texts);
    const isNews = !texts.has(text);
    texts.set(text, true);
    return isNews;
  }

  /** The subject is well again: its next trouble is news. */
  clear(subject: string): void {
    this.#seen.delete(subject);
  }
}
