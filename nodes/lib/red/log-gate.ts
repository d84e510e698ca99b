/** Texts that are remembered of one subject; the one seen longest ago is forgotten first. */
const MAX_TEXTS = 100;

/** Lets the first of equal lines into the log, and holds back its repetitions, also where several take turns. */
export class LogGate {
  readonly #seen = new Map<string, Set<string>>();

  /** Whether a line about a subject was not seen yet. */
  isNews(subject: string, text: string): boolean {
    const texts = this.#seen.get(subject) ?? new Set();
    this.#seen.set(subject, texts);
    const isNews = !texts.delete(text);
    texts.add(text);
    if (texts.size > MAX_TEXTS) this.#forgetOldest(texts);
    return isNews;
  }

  /** The subject is well again: its next trouble is news. */
  clear(subject: string): void {
    this.#seen.delete(subject);
  }

  #forgetOldest(texts: Set<string>): void {
    const [oldest] = texts;
    if (oldest !== undefined) texts.delete(oldest);
  }
}
