import { copyFileSync, truncateSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { errorText, type StorageError } from '../../../errors';
import { makePrivate } from '../../private-mode';
import type { FileWatch, Interference } from '../database/file-watch';
import { keepCopy } from '../database/kept-copy';
import { storageError } from '../database/sqlite-fault';
import { toFailure, type JobAnswer, type WriteJob } from './messages';

const AWAY = {
  gone: 'it was removed or renamed',
  replaced: 'another file is in its place',
} as const;

/** What a {@link WatchedGroup} works on. */
export interface WatchedGroupParts {
  readonly group: {
    run(jobs: readonly WriteJob[]): JobAnswer[];
    readonly fault: StorageError | undefined;
  };
  readonly watch: Pick<FileWatch, 'look' | 'remember'>;
  readonly file: string;
  readonly db: DatabaseSync;
  readonly warn: (text: string) => void;
  /** Ends the thread: the database is opened anew by another one. */
  readonly reopen: () => void;
}

/**
 * Does writes in groups, while nobody else touches the files.
 *
 * - A file that is gone or replaced is read on as it was opened. Nothing is written until it is back; at the end, what it holds
 *   is kept under another name.
 * - What a log holds that is gone is brought into the file, and a new log is begun: nothing is lost.
 * - Of a damaged log, what comes before the damage is brought into the file. The log is kept as it was found.
 * - A file of another size is opened anew, and looked through for damage.
 */
export class WatchedGroup {
  readonly #parts: WatchedGroupParts;
  /** The fault of a file that is not in its place. */
  #away: StorageError | undefined;

  constructor(parts: WatchedGroupParts) {
    this.#parts = parts;
  }

  /** The fault that lasts. */
  get fault(): StorageError | undefined {
    return this.#away ?? this.#parts.group.fault;
  }

  /** Whether the file is not in its place. */
  get isAway(): boolean {
    return this.#away !== undefined;
  }

  run(jobs: readonly WriteJob[]): JobAnswer[] {
    this.look();
    if (this.#away !== undefined) {
      const failure = toFailure(this.#away);
      return jobs.map(({ id }) => ({ id, failure }));
    }
    try {
      return this.#parts.group.run(jobs);
    } finally {
      this.#parts.watch.remember();
    }
  }

  /** Does other work that may write to the files; none while the file is not in its place. */
  do<Result>(work: () => Result): Result | undefined {
    if (this.#away !== undefined) return undefined;
    try {
      return work();
    } finally {
      this.#parts.watch.remember();
    }
  }

  /** Looks what somebody else did, and does what loses least. */
  look(): void {
    const found = this.#parts.watch.look();
    if (found === 'gone' || found === 'replaced') {
      this.#away ??= awayFault(this.#parts.file, found);
      return;
    }
    this.#away = undefined;
    if (found === undefined) return;
    try {
      this.#save(found);
    } catch (error) {
      this.#parts.warn(`the files of the storage are not as they were: ${errorText(error)}`);
    }
    this.#parts.reopen();
  }

  /** What to do before the database is closed: a file that nothing leads to is gone with the process. */
  rescue(): void {
    const { db, file, warn } = this.#parts;
    const found = this.#parts.watch.look();
    if (found !== 'gone' && found !== 'replaced') return;
    const copy = `${file}.rescued`;
    try {
      keepCopy(db, file, copy);
      warn(`${AWAY[found]}: what it held is in ${copy}`);
    } catch (error) {
      warn(`${AWAY[found]}, and what it held is lost: ${errorText(error)}`);
    }
  }

  #save(found: Exclude<Interference, 'gone' | 'replaced'>): void {
    const { db, warn } = this.#parts;
    if (found === 'log damaged') {
      this.#saveSoundPart();
    } else if (found === 'log gone') {
      db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      db.close();
      warn(
        'the log of the storage was removed by somebody else: what it held was brought into the file, and nothing is lost',
      );
    } else {
      warn('the file of the storage was changed by somebody else: it is opened anew');
      db.close();
    }
  }

  /** SQLite would bring the damage into the file when it closes it. Without frames to read it cannot, and it reads what is sound later. */
  #saveSoundPart(): void {
    const { db, file, warn } = this.#parts;
    const [log, kept] = [`${file}-wal`, `${file}-wal.damaged`];
    copyFileSync(log, kept);
    makePrivate(kept);
    truncateSync(log);
    try {
      db.close();
    } finally {
      copyFileSync(kept, log);
      warn(
        `the log of the storage was damaged by somebody else: what comes after the damage is lost, up to what the file holds already. ${kept} is the log as it was found`,
      );
    }
  }
}

function awayFault(file: string, found: keyof typeof AWAY): StorageError {
  const text = `${AWAY[found]}. The open file is read on, and nothing is written until it is back. At the end, what it holds is kept beside it`;
  return storageError('unavailable', file, text);
}
