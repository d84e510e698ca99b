import type { DatabaseSync } from 'node:sqlite';
import { toIotmpError } from '../database/sqlite-fault';
import type { Statements } from '../database/statements';
import { inTransaction } from '../database/transaction';
import type { Tables, Writes } from '../tables/tables';
import { toFailure, type JobAnswer, type Failure, type WriteJob } from './messages';

interface WriteOf<N extends keyof Writes> {
  readonly id: number;
  readonly name: N;
  readonly args: Writes[N]['args'];
}

/** What a {@link GroupCommit} works on. */
export interface GroupCommitParts {
  readonly db: DatabaseSync;
  readonly sql: Statements;
  readonly file: string;
  readonly tables: Pick<Tables, 'writes' | 'forget'>;
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

  run(jobs: readonly WriteJob[]): JobAnswer[] {
    const answers: JobAnswer[] = [];
    while (answers.length < jobs.length) answers.push(...this.#runFirst(jobs.slice(answers.length)));
    return answers;
  }

  /** Does all of the writes, or those up to the first that takes the transaction with it: those before are done again. */
  #runFirst(jobs: readonly WriteJob[]): JobAnswer[] {
    const answers: JobAnswer[] = [];
    try {
      inTransaction(this.#parts.db, () => {
        for (const job of jobs) answers.push(this.#runOne(job));
      });
      return answers;
    } catch (error) {
      this.#parts.tables.forget();
      const count = answers.length;
      if (error instanceof TransactionLost) {
        return [
          ...this.run(jobs.slice(0, count)),
          ...this.#failAll(jobs.slice(count, count + 1), error.cause),
        ];
      }
      return this.#failAll(jobs, error).map((failed, index) => {
        const answer = answers[index];
        return answer !== undefined && 'failure' in answer ? answer : failed;
      });
    }
  }

  #runOne<N extends keyof Writes>({ id, name, args }: WriteOf<N>): JobAnswer {
    const { sql, tables } = this.#parts;
    sql.run('SAVEPOINT job');
    const { runs } = sql;
    try {
      const value = tables.writes[name](args);
      sql.run('RELEASE job');
      return { id, value };
    } catch (error) {
      // A write that is refused before it changes anything must not cost the next ones what is remembered.
      const isUndone = sql.runs > runs;
      this.#undoOne(error);
      if (isUndone) tables.forget();
      return { id, failure: this.#toFailure(error) };
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

  #failAll(jobs: readonly WriteJob[], error: unknown): JobAnswer[] {
    const failure = this.#toFailure(error);
    return jobs.map(({ id }) => ({ id, failure }));
  }

  #toFailure(error: unknown): Failure {
    return toFailure(toIotmpError(error, this.#parts.file));
  }
}
