import type { Failure, Outcome } from './outcome';
import type { SpecProcess } from './spec-process';

/** Prints results as they come, and the sum of them at the end. */
export class Report {
  #passed = 0;
  #failed = 0;
  readonly #failures: string[] = [];
  readonly #skipped: string[] = [];
  readonly #print: (line: string) => void;

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  /** Whether tests have passed, and nothing has failed. */
  get ok(): boolean {
    return this.#failed === 0 && this.#passed > 0;
  }

  add({ file, outcome, durationMs, output }: SpecProcess): void {
    this.#passed += outcome.passed;
    this.#failed += outcome.failed;
    this.#print(`${countsOf(outcome)}  ${(durationMs / 1000).toFixed(1)} s  ${file}`);
    if (output !== '') this.#print(output.trimEnd());
    for (const failure of outcome.failures) this.#note(textOf(file, failure));
    if (outcome.notRun > 0) this.#note(`${file}: ${outcome.notRun} tests did not run`);
    this.#skipped.push(...outcome.skipped.map((name) => `${file}: ${name}`));
  }

  /** Counts a failure that is no test's. */
  fail(what: string): void {
    this.#failed++;
    this.#note(what);
  }

  /** Prints what was skipped and what failed. The last line says how many tests passed and failed. */
  end(): void {
    this.#list('skipped', this.#skipped);
    this.#list('failed', this.#failures);
    this.#print(`${this.#passed} passed, ${this.#failed} failed`);
  }

  #note(failure: string): void {
    this.#failures.push(failure);
    this.#print(`failed: ${failure}`);
  }

  #list(title: string, items: readonly string[]): void {
    if (items.length > 0) this.#print(`\n${items.length} ${title}:\n${items.join('\n')}\n`);
  }
}

function countsOf({ passed, failed, skipped }: Outcome): string {
  const counts = [`${passed} passed`];
  if (failed > 0) counts.push(`${failed} failed`);
  if (skipped.length > 0) counts.push(`${skipped.length} skipped`);
  return counts.join(', ');
}

function textOf(file: string, { name, error }: Failure): string {
  return `${file}: ${name}\n${error.replace(/^/gm, '    ')}`;
}
