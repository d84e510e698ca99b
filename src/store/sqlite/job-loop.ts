import { StorageError, type IotmpError } from '../../errors';
import type { Core } from '../core/core';
import type { LongReadHandlers, LongReads, ReadHandlers, Reads, Steps } from '../core/operations';
import { fromFailure, toFailure } from './failure';
import type { Answer, ControlJob, Job, LongReadJob, ReadJob, Report, WriteJob } from './messages';

/** What a {@link JobLoop} drives. */
export interface JobLoopParts {
  readonly core: Core;
  readonly commit: (jobs: readonly WriteJob[]) => Answer[];
  /** How many changes were ever made: a write that finds everything as it should be makes none. */
  readonly changes: () => number;
  readonly sweeper: { readonly hasWork: boolean; wake(): void; step(): void };
  readonly check: () => string[];
  readonly close: () => void;
  readonly toError: (error: unknown) => IotmpError;
  readonly report: (report: Report) => void;
  /** Called after the last report. */
  readonly end: () => void;
}

/** Rows and jobs of one transaction at most: more would keep others waiting. */
const MAX_GROUP_ROWS = 5000;
const MAX_GROUP_JOBS = 1000;
/** How long reads go on before writes have their turn, in ms. */
const READ_SLICE_MS = 10;

interface RunningRead {
  readonly id: number;
  readonly steps: Pick<Steps<unknown>, 'next'>;
}

/**
 * Does the jobs of the worker. All writes that wait go first, as one transaction; then reads, in turns, for some
 * milliseconds; then the sweeper, if nothing else waits. New messages come in between two of its turns.
 */
export class JobLoop {
  readonly #parts: JobLoopParts;
  #writes: WriteJob[] = [];
  readonly #reads: RunningRead[] = [];
  #close: ControlJob | undefined;
  #fault: StorageError | undefined;
  #isScheduled = false;

  constructor(parts: JobLoopParts) {
    this.#parts = parts;
    this.#schedule();
  }

  accept(jobs: readonly Job[]): void {
    for (const job of jobs) {
      if (job.kind === 'write') this.#writes.push(job);
      else if (job.kind === 'close') this.#close = job;
      else this.#reads.push({ id: job.id, steps: this.#stepsOf(job) });
    }
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#takeTurn();
    });
  }

  #takeTurn(): void {
    const { sweeper } = this.#parts;
    if (this.#writes.length > 0) this.#write();
    if (this.#reads.length > 0) this.#read();
    else if (this.#close === undefined && sweeper.hasWork) this.#sweep();
    else if (this.#close !== undefined && this.#writes.length === 0) {
      this.#end(this.#close);
      return;
    }
    if (this.#writes.length > 0 || this.#reads.length > 0 || sweeper.hasWork || this.#close !== undefined) {
      this.#schedule();
    }
  }

  #write(): void {
    const group = this.#takeGroup();
    if (this.#fault?.reason === 'corrupt') {
      const failure = toFailure(this.#fault);
      this.#parts.report({ answers: group.map(({ id }) => ({ id, failure })) });
      return;
    }
    const before = this.#parts.changes();
    const answers = this.#parts.commit(group);
    const faults = answers.flatMap((answer) => ('failure' in answer ? [fromFailure(answer.failure)] : []));
    const fault = faults.find((error) => error instanceof StorageError);
    const hasWritten = answers.length > faults.length && this.#parts.changes() > before;
    this.#report(answers, fault ?? (hasWritten ? undefined : this.#fault));
    if (group.some(({ name }) => name === 'bucketRemove' || name === 'bucketClear'))
      this.#parts.sweeper.wake();
  }

  #takeGroup(): WriteJob[] {
    let rows = 0;
    let count = 0;
    for (const job of this.#writes) {
      rows += 'values' in job.args ? job.args.ts.length : 1;
      if (count > 0 && (rows > MAX_GROUP_ROWS || count === MAX_GROUP_JOBS)) break;
      count++;
    }
    return this.#writes.splice(0, count);
  }

  /** Each read that waits gets one step after the other. */
  #read(): void {
    const answers: Answer[] = [];
    let fault = this.#fault;
    const end = performance.now() + READ_SLICE_MS;
    do {
      const read = this.#reads.shift();
      if (read === undefined) break;
      try {
        const step = read.steps.next();
        if (step.done === true) answers.push({ id: read.id, value: step.value });
        else this.#reads.push(read);
      } catch (thrown) {
        const error = this.#parts.toError(thrown);
        if (error instanceof StorageError) fault = error;
        answers.push({ id: read.id, failure: toFailure(error) });
      }
    } while (performance.now() < end);
    if (answers.length > 0) this.#report(answers, fault);
  }

  #sweep(): void {
    try {
      this.#parts.sweeper.step();
    } catch (thrown) {
      const error = this.#parts.toError(thrown);
      this.#report([], error instanceof StorageError ? error : this.#fault);
    }
  }

  #end({ id }: ControlJob): void {
    try {
      this.#parts.close();
      this.#parts.report({ answers: [{ id, value: undefined }] });
    } catch (thrown) {
      this.#parts.report({ answers: [{ id, failure: toFailure(this.#parts.toError(thrown)) }] });
    }
    this.#parts.end();
  }

  /** A damaged file stays damaged: nothing that works after it proves the contrary. */
  #report(answers: readonly Answer[], fault: StorageError | undefined): void {
    const isNews = fault?.reason !== this.#fault?.reason && this.#fault?.reason !== 'corrupt';
    if (isNews) this.#fault = fault;
    this.#parts.report({
      answers,
      ...(isNews && { fault: fault === undefined ? null : toFailure(fault) }),
    });
  }

  #stepsOf(job: ReadJob | LongReadJob | ControlJob): RunningRead['steps'] {
    const { core, check } = this.#parts;
    switch (job.kind) {
      case 'read':
        return atOnce(() => runRead(core.reads, job));
      case 'longRead':
        return runLongRead(core.longReads, job);
      default:
        return atOnce(check);
    }
  }
}

function atOnce(action: () => unknown): RunningRead['steps'] {
  return { next: () => ({ done: true, value: action() }) };
}

function runRead<N extends keyof Reads>(
  reads: ReadHandlers,
  { name, args }: { readonly name: N; readonly args: Reads[N]['args'] },
): unknown {
  return reads[name](args);
}

function runLongRead<N extends keyof LongReads>(
  reads: LongReadHandlers,
  { name, args }: { readonly name: N; readonly args: LongReads[N]['args'] },
): Steps<unknown> {
  return reads[name](args);
}
