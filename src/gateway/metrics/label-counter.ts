import type { Sample } from './metrics-text';

/** Counts by labels. The labels come from the program, never from outside, so that there are few of them. */
export class LabelCounter {
  readonly #counts = new Map<string, { labels: Readonly<Record<string, string>>; value: number }>();

  add(labels: Readonly<Record<string, string>> = {}, by = 1): void {
    const key = Object.values(labels).join('\n');
    const count = this.#counts.get(key);
    if (count === undefined) this.#counts.set(key, { labels, value: by });
    else count.value += by;
  }

  /** What was counted; 0 before the first. */
  *samples(): Generator<Sample> {
    if (this.#counts.size === 0) yield [{}, 0];
    for (const { labels, value } of this.#counts.values()) yield [labels, value];
  }
}
