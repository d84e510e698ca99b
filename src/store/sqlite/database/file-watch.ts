import { readFileSync, statSync, type BigIntStats } from 'node:fs';
import { isLogDamaged } from './log-check';

/**
 * What somebody else did to the files of an open database.
 *
 * - `gone`: there is no file any more under its name.
 * - `replaced`: another file is there.
 * - `changed`: the file has another size.
 * - `log gone`: the log was removed, or another one is there.
 * - `log damaged`: the log is shorter, or not as it was written.
 */
export type Interference = 'gone' | 'replaced' | 'changed' | 'log gone' | 'log damaged';

/**
 * Watches the files of a database that only this thread may write. SQLite does not look: it goes on in files that no name leads
 * to any more. The files are never opened here, but for the log: closing one takes away the locks that SQLite has on it.
 */
export class FileWatch {
  readonly #file: string;
  readonly #log: string;
  readonly #opened: BigIntStats | undefined;
  #fileSeen: BigIntStats | undefined;
  #logSeen: BigIntStats | undefined;

  constructor(file: string) {
    this.#file = file;
    this.#log = `${file}-wal`;
    this.#opened = seen(file);
    this.remember();
  }

  /** Notes the files as they are after work of this thread. Nothing is noted while the file is not in its place. */
  remember(): void {
    const file = seen(this.#file);
    if (!isSame(file, this.#opened)) return;
    this.#fileSeen = file;
    this.#logSeen = seen(this.#log);
  }

  /** What somebody else did since this thread worked last. */
  look(): Interference | undefined {
    const file = seen(this.#file);
    if (file === undefined) return 'gone';
    if (!isSame(file, this.#opened)) return 'replaced';
    if (file.size !== this.#fileSeen?.size) return 'changed';
    return this.#lookAtLog();
  }

  #lookAtLog(): Interference | undefined {
    const before = this.#logSeen;
    const log = seen(this.#log);
    if (before === undefined) return undefined;
    if (log === undefined || !isSame(log, before)) return before.size > 0n ? 'log gone' : undefined;
    if (log.size < before.size) return 'log damaged';
    if (log.mtimeNs === before.mtimeNs && log.size === before.size) return undefined;
    if (isLogDamaged(readFileSync(this.#log))) return 'log damaged';
    this.#logSeen = log;
    return undefined;
  }
}

function seen(path: string): BigIntStats | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false });
}

function isSame(one: BigIntStats | undefined, other: BigIntStats | undefined): boolean {
  return one?.ino === other?.ino && one?.dev === other?.dev;
}
