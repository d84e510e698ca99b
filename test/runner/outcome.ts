import type { SpecEvent } from './events';

/** A test, a hook or a process that failed. */
export interface Failure {
  readonly name: string;
  /** The error with its stack, or a sentence of the runner. */
  readonly error: string;
}

/** The end of a spec process. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The reason for which the runner killed it. */
  readonly killedFor: string | undefined;
}

const LOADING = { name: 'loading', isTest: false };
const THE_END = { name: 'the end', isTest: false };

/** The results of one spec file. Each of its tests has passed, failed, was skipped or did not run. */
export class Outcome {
  passed = 0;
  readonly skipped: string[] = [];
  readonly failures: Failure[] = [];
  /** Tests whose hook failed or whose process ended too early. They count as failed. */
  notRun = 0;
  #tests = 0;
  #done = 0;
  #running = LOADING;

  get failed(): number {
    return this.failures.length + this.notRun;
  }

  add(event: SpecEvent): void {
    switch (event.kind) {
      case 'start':
        this.#tests = event.tests;
        break;
      case 'begin':
        this.#running = event;
        break;
      case 'passed':
        this.passed++;
        this.#done++;
        break;
      case 'skipped':
        this.skipped.push(event.name);
        this.#done++;
        break;
      case 'failed':
        this.#fail(event, event.error);
        break;
      case 'end':
        this.#running = THE_END;
    }
  }

  /** Takes the end of the process, and fails what its events leave out. */
  close({ code, signal, killedFor }: ProcessEnd): void {
    const { length } = this.failures;
    const how = `its process ended with ${signal ?? `code ${code ?? 'unknown'}`}`;
    if (killedFor !== undefined) this.#fail(this.#running, killedFor);
    else if (this.#running !== THE_END) this.#fail(this.#running, how);
    else if (this.#tests === 0) this.#fail(LOADING, 'there is no test');
    else if (code !== Math.min(length, 255)) this.#fail(THE_END, `${how} after ${length} failures`);
    this.notRun = Math.max(this.#tests - this.#done, 0);
  }

  #fail({ name, isTest }: { name: string; isTest: boolean }, error: string): void {
    this.failures.push({ name, error });
    if (isTest) this.#done++;
  }
}
