import { StorageError, type IotmpError } from '../../../errors';
import type { Steps } from '../tables/operations';
import type { LongReads, Reads, Tables } from '../tables/tables';
import {
  fromFailure,
  toFailure,
  type JobAnswer,
  type ControlJob,
  type Job,
  type LongReadJob,
  type ReadJob,
  type Report,
  type WriteJob,
} from './messages';
import { ReadQueue, type ReadSteps } from './read-queue';

/** What a {@link JobLoop} drives. */
export interface JobLoopParts {
  readonly tables: Pick<Tables, 'reads' | 'longReads'>;
  readonly group: {
    run(jobs: readonly WriteJob[]): JobAnswer[];
    /** A fault that lasts, whatever is written. */
    readonly fault?: StorageError | undefined;
  };
  /** Looks whether what has lasted is over. */
  readonly look?: () => void;
  /** Number of changes that were ever made: a write that finds everything as it should be makes none. */
  readonly changes: () => number;
  readonly sweeper: { readonly hasWork: boolean; wake(): void; step(): void };
  readonly check: () => string[];
  readonly share: () => boolean;
  readonly reclaim: () => void;
  readonly close: () => void;
  readonly toError: (error: unknown) => IotmpError;
  readonly report: (report: Report) => void;
  /** Called after the last report. */
  readonly end: () => void;
}

/** Maximum number of rows and of jobs in one transaction: more would keep others waiting. */
const MAX_GROUP_ROWS = 5000;
const MAX_GROUP_JOBS = 1000;
/** Time that reads go on before writes have their turn, in ms. */
const READ_SLICE_MS = 5;

/**
 * Does the jobs of the worker in turns. In each, all writes that wait go first, as one transaction; then short reads,
 * then the steps of long reads, one of each after the other, both for some milliseconds; then the sweeper, if nothing else
 * waits. New messages come in between two turns.
 */
export class JobLoop {
  readonly #parts: JobLoopParts;
  #writes: WriteJob[] = [];
  readonly #shortReads: ReadQueue;
  readonly #longReads: ReadQueue;
  #close: ControlJob | undefined;
  #fault: StorageError | undefined;
  #isScheduled = false;

  constructor(parts: JobLoopParts) {
    this.#parts = parts;
    this.#shortReads = new ReadQueue(parts.toError);
    this.#longReads = new ReadQueue(parts.toError);
    this.#schedule();
  }

  accept(jobs: readonly Job[]): void {
    for (const job of jobs) {
      if (job.kind === 'write') this.#writes.push(job);
      else if (job.kind === 'close') this.#close = job;
      else this.#acceptRead(job);
    }
    this.#schedule();
  }

  /** Looks at the disk, now and then. What is thrown is a fault of the store. */
  look(): void {
    const { group, look, toError } = this.#parts;
    const before = group.fault;
    try {
      look?.();
    } catch (thrown) {
      const error = toError(thrown);
      this.#report([], error instanceof StorageError ? error : this.#fault);
      return;
    }
    if (group.fault !== before) this.#report([], group.fault);
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
    const lasting = this.#parts.group.fault;
    if (lasting !== undefined && this.#fault === undefined) this.#report([], lasting);
    if (this.#writes.length > 0) this.#write();
    this.#read(this.#shortReads);
    this.#read(this.#longReads);
    const { sweeper } = this.#parts;
    if (this.#writes.length === 0 && this.#shortReads.isEmpty && this.#longReads.isEmpty) {
      if (this.#close !== undefined) {
        this.#end(this.#close);
        return;
      }
      if (!sweeper.hasWork) return;
      this.#sweep();
    }
    this.#schedule();
  }

  #write(): void {
    const group = this.#takeGroup();
    if (this.#fault?.reason === 'corrupt') {
      const failure = toFailure(this.#fault);
      this.#parts.report({ answers: group.map(({ id }) => ({ id, failure })) });
      return;
    }
    const before = this.#parts.changes();
    const answers = this.#parts.group.run(group);
    const faults = answers.flatMap((answer) => ('failure' in answer ? [fromFailure(answer.failure)] : []));
    const fault = faults.find((error) => error instanceof StorageError);
    const hasWritten = answers.length > faults.length && this.#parts.changes() > before;
    const lasting = this.#parts.group.fault;
    this.#report(answers, lasting ?? fault ?? (hasWritten ? undefined : this.#fault));
    if (lasting !== undefined && hasWritten) this.#parts.sweeper.wake();
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

  #read(queue: ReadQueue): void {
    if (queue.isEmpty) return;
    const { answers, fault } = queue.run(READ_SLICE_MS);
    if (answers.length > 0) this.#report(answers, fault ?? this.#fault);
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
  #report(answers: readonly JobAnswer[], fault: StorageError | undefined): void {
    const isNews = fault?.reason !== this.#fault?.reason && this.#fault?.reason !== 'corrupt';
    if (isNews) this.#fault = fault;
    this.#parts.report({
      answers,
      ...(isNews && { fault: fault === undefined ? null : toFailure(fault) }),
    });
  }

  #acceptRead(job: ReadJob | LongReadJob | ControlJob): void {
    const { tables, check, share, reclaim } = this.#parts;
    if (job.kind === 'read') {
      this.#shortReads.add(
        job.id,
        atOnce(() => runRead(tables.reads, job)),
      );
    } else {
      const controls = { check, share, reclaim, close: () => undefined };
      const steps = job.kind === 'longRead' ? runLongRead(tables.longReads, job) : atOnce(controls[job.kind]);
      this.#longReads.add(job.id, steps);
    }
  }
}

function atOnce(action: () => unknown): ReadSteps {
  return { next: () => ({ done: true, value: action() }) };
}

function runRead<N extends keyof Reads>(
  reads: Tables['reads'],
  { name, args }: { readonly name: N; readonly args: Reads[N]['args'] },
): unknown {
  return reads[name](args);
}

function runLongRead<N extends keyof LongReads>(
  reads: Tables['longReads'],
  { name, args }: { readonly name: N; readonly args: LongReads[N]['args'] },
): Steps<unknown> {
  return reads[name](args);
}
