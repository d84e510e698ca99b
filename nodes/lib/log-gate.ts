/** Lets the first of many equal lines into the log, and holds back its repetitions. */
export class LogGate {
  readonly #last = new Map<string, string>();

  /** Whether a line about a subject differs from the last one about it. */
  isNews(subject: string, text: string): boolean {
    if (this.#last.get(subject) === text) return false;
    this.#last.set(subject, text);
    return true;
  }

  /** The subject is well again: its next trouble is news. */
  clear(subject: string): void {
    this.#last.delete(subject);
  }
}
