import { existsSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { WriteHandlers, Writes } from '../core/operations';
import { toFailure, type Failure } from './failure';
import type { Answer, WriteJob } from './messages';
import { storageError, toIotmpError } from './sqlite-fault';
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

/** A write failed in such a way that SQLite has undone all of the transaction, as it does where there is no space. */
class TransactionLost extends Error {
  constructor(cause: unknown) {
    super('the transaction is lost', { cause });
  }
}

/**
 * Does many writes in one transaction: the disk is waited for once. The answers come when the transaction is on the
 * disk. A write that fails is undone alone; if the transaction cannot be committed, all writes of it fail, and so they do
 * while the file is not in its place.
 */
export class GroupCommit {
  readonly #parts: GroupCommitParts;

  constructor(parts: GroupCommitParts) {
    this.#parts = parts;
  }

  run(jobs: readonly WriteJob[]): Answer[] {
    const { file } = this.#parts;
    // SQLite would go on with a file that no name leads to, and all of it would be gone with the process.
    if (!existsSync(file)) {
      return this.#failAll(jobs, storageError('unavailable', file, 'it was removed or renamed'));
    }
    return this.#runAll(jobs);
  }

  #runAll(jobs: readonly WriteJob[]): Answer[] {
    const answers: Answer[] = [];
    while (answers.length < jobs.length) answers.push(...this.#runFirst(jobs.slice(answers.length)));
    return answers;
  }

  /** Does all of the writes, or those up to the first that takes the transaction with it: those before are done again. */
  #runFirst(jobs: readonly WriteJob[]): Answer[] {
    const answers: Answer[] = [];
    try {
      inTransaction(this.#parts.db, () => {
        for (const job of jobs) answers.push(this.#runOne(job));
      });
      return answers;
    } catch (error) {
      this.#parts.forget();
      const count = answers.length;
      if (error instanceof TransactionLost) {
        return [
          ...this.#runAll(jobs.slice(0, count)),
          ...this.#failAll(jobs.slice(count, count + 1), error.cause),
        ];
      }
      return this.#failAll(jobs, error).map((failed, index) => {
        const answer = answers[index];
        return answer !== undefined && 'failure' in answer ? answer : failed;
      });
    }
  }

  #runOne(job: WriteJob): Answer {
    const { sql, writes, forget } = this.#parts;
    sql.run('SAVEPOINT job');
    try {
      const value = runWrite(writes, job);
      sql.run('RELEASE job');
      return { id: job.id, value };
    } catch (error) {
      this.#undoOne(error);
      forget();
      return { id: job.id, failure: this.#toFailure(error) };
    }
  }

  #undoOne(error: unknown): void {
    try {
      this.#parts.sql.run('ROLLBACK TO job');
      this.#parts.sql.run('RELEASE job');
    } catch {
      throw new TransactionLost(error);
    }
  }

  #failAll(jobs: readonly WriteJob[], error: unknown): Answer[] {
    const failure = this.#toFailure(error);
    return jobs.map(({ id }) => ({ id, failure }));
  }

  #toFailure(error: unknown): Failure {
    return toFailure(toIotmpError(error, this.#parts.file));
  }
}

function runWrite<N extends keyof Writes>(
  writes: WriteHandlers,
  { name, args }: { readonly name: N; readonly args: Writes[N]['args'] },
): unknown {
  return writes[name](args);
}
