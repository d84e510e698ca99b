import type { DatabaseSync } from 'node:sqlite';
import type { StorageError } from '../../../errors';
import type { Reserve } from '../database/reserve';
import { storageError } from '../database/sqlite-fault';
import type { Writes } from '../tables/tables';
import { toFailure, type JobAnswer, type WriteJob } from './messages';

/** Writes that make room, or that have little to write and must not wait. */
const FREEING: ReadonlySet<keyof Writes> = new Set([
  'propertyRemove',
  'propertyClear',
  'documentRemove',
  'documentClear',
  'retainedRemove',
  'retainedClear',
  'bucketRemove',
  'bucketClear',
  'bucketPrune',
  'bucketUpdate',
]);

/** What a {@link ReservedGroup} works on. */
export interface ReservedGroupParts {
  readonly group: { run(jobs: readonly WriteJob[]): JobAnswer[] };
  readonly reserve: Pick<Reserve, 'isGivenUp' | 'giveUp' | 'restore'>;
  readonly file: string;
  readonly db: Pick<DatabaseSync, 'exec'>;
}

/**
 * Does writes in groups. On a full disk the reserve is given up, and from then on only writes are done that make room or take
 * rights away, until the reserve is there again.
 */
export class ReservedGroup {
  readonly #parts: ReservedGroupParts;
  readonly #full: StorageError;

  constructor(parts: ReservedGroupParts) {
    this.#parts = parts;
    this.#full = storageError('full', parts.file, 'only what makes room is written');
  }

  /** The fault that lasts while the reserve is given up. */
  get fault(): StorageError | undefined {
    return this.#parts.reserve.isGivenUp ? this.#full : undefined;
  }

  run(jobs: readonly WriteJob[]): JobAnswer[] {
    const { group, reserve } = this.#parts;
    if (reserve.isGivenUp) return this.#runFreeing(jobs);
    const answers = group.run(jobs);
    if (!answers.some(isFull) || !reserve.giveUp()) return answers;
    this.#emptyLog();
    const refused = new Set(answers.filter(isFull).map(({ id }) => id));
    const again = this.#runFreeing(jobs.filter(({ id }) => refused.has(id)));
    return [...answers.filter(({ id }) => !refused.has(id)), ...again];
  }

  #runFreeing(jobs: readonly WriteJob[]): JobAnswer[] {
    const failure = toFailure(this.#full);
    const refused = jobs.filter((job) => !isFreeing(job));
    return [
      ...this.#parts.group.run(jobs.filter(isFreeing)),
      ...refused.map(({ id }): JobAnswer => ({ id, failure })),
    ];
  }

  /** The log may take as much room as the reserve did. */
  #emptyLog(): void {
    try {
      this.#parts.db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // Then what is in the log stays there: the writes that come next tell what is wrong.
    }
  }
}

function isFreeing({ name, args }: WriteJob): boolean {
  return FREEING.has(name) || ('revokes' in args && args.revokes);
}

function isFull(answer: JobAnswer): boolean {
  return 'failure' in answer && answer.failure.reason === 'full';
}
