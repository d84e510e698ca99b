import type { DatabaseSync } from 'node:sqlite';
import type { WriteHandlers, Writes } from '../core/operations';
import { toFailure } from './failure';
import type { Answer, WriteJob } from './messages';
import { toIotmpError } from './sqlite-fault';
import type { Statements } from './statements';
import { inTransaction } from './transaction';

/** What a {@link GroupCommit} works on. */
export interface GroupCommitParts {
  readonly db: DatabaseSync;
  readonly sql: Statements;
  readonly file: string;
  readonly writes: WriteHandlers;
  /** Called when writes have been undone. */
  readonly forget: () => void;
}

/**
 * Does many writes in one transaction: the disk is waited for once. The answers come when the transaction is on the
 * disk. A write that fails is undone alone; if the transaction fails, all writes of it do.
 */
export class GroupCommit {
  readonly #parts: GroupCommitParts;

  constructor(parts: GroupCommitParts) {
    this.#parts = parts;
  }

  run(jobs: readonly WriteJob[]): Answer[] {
    const answers: Answer[] = [];
    try {
      inTransaction(this.#parts.db, () => {
        for (const job of jobs) answers.push(this.#runOne(job));
      });
      return answers;
    } catch (error) {
      this.#parts.forget();
      const failure = toFailure(toIotmpError(error, this.#parts.file));
      return jobs.map(({ id }, index) => {
        const answer = answers[index];
        return answer !== undefined && 'failure' in answer ? answer : { id, failure };
      });
    }
  }

  /** Throws only if the whole transaction is gone. */
  #runOne(job: WriteJob): Answer {
    const { sql, writes, file, forget } = this.#parts;
    sql.run('SAVEPOINT job');
    try {
      const value = runWrite(writes, job);
      sql.run('RELEASE job');
      return { id: job.id, value };
    } catch (error) {
      sql.run('ROLLBACK TO job');
      sql.run('RELEASE job');
      forget();
      return { id: job.id, failure: toFailure(toIotmpError(error, file)) };
    }
  }
}

function runWrite<N extends keyof Writes>(
  writes: WriteHandlers,
  { name, args }: { readonly name: N; readonly args: Writes[N]['args'] },
): unknown {
  return writes[name](args);
}
