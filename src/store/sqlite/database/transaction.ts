import type { DatabaseSync } from 'node:sqlite';
import { errorText } from '../../../errors';

/** Does something wholly or, if it throws, not at all. */
export function inTransaction<Result>(db: DatabaseSync, action: () => Result): Result {
  try {
    db.exec('BEGIN IMMEDIATE');
    const result = action();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    rollBack(db);
    throw error;
  }
}

/** Undoes a transaction after an error. With some errors (a full disk is one) SQLite has done so itself. */
function rollBack(db: DatabaseSync): void {
  try {
    db.exec('ROLLBACK');
  } catch (error) {
    if (!errorText(error).includes('no transaction is active')) throw error;
  }
}
