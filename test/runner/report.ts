import type { Failure, Outcome } from './outcome';
import type { SpecProcess } from './spec-process';

/** Prints results as they come, and the sum of all at the end. */
export class Report {
  #passed = 0;
  readonly #failures: string[] = [];
  #failed = 0;
  readonly #skipped: string[] = [];
  readonly #print: (line: string) => void;

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  get ok(): boolean {
    return this.#failed === 0 && this.#passed > 0;
  }

  add({ files, outcome, durationMs, output }: SpecProcess): void {
    const name = files.join(' ');
    this.#passed += outcome.passed;
    this.#failed += outcome.failed;
    this.#print(`${lineOf(outcome)}  ${(durationMs / 1000).toFixed(1)} s  ${name}`);
    if (output !== '') this.#print(output.trimEnd());
    for (const skipped of outcome.skipped) this.#skipped.push(`${name}: ${skipped}`);
    for (const failure of outcome.failures) this.#addFailure(name, failure);
    if (outcome.notRun > 0) this.#failures.push(`${name}: ${outcome.notRun} tests did not run`);
  }

  /** Counts a failure that is none of a test. */
  fail(what: string): void {
    this.#failed++;
    this.#failures.push(what);
    this.#print(what);
  }

  /** Prints what failed and what was skipped, and as the last line how many tests passed and failed. */
  end(): void {
    if (this.#skipped.length > 0) this.#print(`\n${this.#skipped.length} skipped`);
    for (const skipped of this.#skipped) this.#print(`  ${skipped}`);
    if (this.#failures.length > 0) this.#print('\nfailed');
    for (const failure of this.#failures) this.#print(`  ${failure}`);
    this.#print(`\n${this.#passed} passed, ${this.#failed} failed`);
  }

  #addFailure(file: string, { name, error }: Failure): void {
    const failure = `${file}: ${name}\n${error.replace(/^/gm, '    ')}`;
    this.#failures.push(failure);
    this.#print(`  failed: ${failure}`);
  }
}

function lineOf({ passed, failed, skipped }: Outcome): string {
  return [
    `${passed} passed`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(skipped.length > 0 ? [`${skipped.length} skipped`] : []),
  ].join(', ');
}
