import { parentPort, type MessagePort } from 'node:worker_threads';
import { errorText } from '../../../errors';
import { systemClock, type Timer } from '../../../util/clock';
import { IN_MEMORY } from '../database/database-options';
import { FileWatch } from '../database/file-watch';
import { findDamage, holdFile, openDatabase, shareFile } from '../database/open-database';
import { Reserve } from '../database/reserve';
import { toIotmpError } from '../database/sqlite-fault';
import { DamagedRecords } from '../../damaged-records';
import { Statements } from '../database/statements';
import { Sweeper } from '../tables/sweeper';
import { openTables } from '../tables/tables';
import { GroupCommit } from './group-commit';
import { ReservedGroup } from './reserved-group';
import { WatchedGroup } from './watched-group';
import { JobLoop } from './job-loop';
import {
  toFailure,
  type JobAnswer,
  type DatabaseSettings,
  type Job,
  type Opening,
  type Report,
} from './messages';

/** What is in memory is watched by nobody. */
const NO_FILE = { look: () => undefined, remember: () => undefined };

/** Time between two looks at the disk, in ms. */
const LOOK_MS = 1000;

/**
 * The thread of a `StoreThread`: opens a database, does its jobs until it is closed, and then waits for the next one. What
 * is thrown here ends the thread, and the store takes its file up again with another one.
 */
function serve(port: MessagePort): void {
  let loop: JobLoop | undefined;
  const news = new News();
  const report = (message: Report): void => port.postMessage(news.addTo(message));
  const open = ({ id, settings }: Opening): JobAnswer => {
    try {
      loop = openLoop(settings, { report, news }, () => (loop = undefined));
      return { id, value: undefined };
    } catch (error) {
      return { id, failure: toFailure(toIotmpError(error, settings.file)) };
    }
  };
  port.on('message', (message: Opening | readonly Job[]) => {
    if ('settings' in message) report({ answers: [open(message)] });
    else loop?.accept(message);
  });
}

/**
 * Opens a database and takes jobs from then on.
 * @param end is called after the last report
 * @throws StorageError as {@link openDatabase} does
 */
function openLoop(settings: DatabaseSettings, { report, news }: Voice, end: () => void): JobLoop {
  const { file, limits, reserveBytes = 0 } = settings;
  const { warn } = news;
  const db = openDatabase(settings, warn);
  const reserve = new Reserve({ file, bytes: reserveBytes, warn });
  const sql = new Statements(db);
  const tables = openTables(sql, limits, new DamagedRecords(news.noteDamage));
  const reserved = new ReservedGroup({
    group: new GroupCommit({ db, sql, file, tables }),
    reserve,
    file,
    db,
  });
  const reopen = (): void => {
    report({ answers: [] });
    process.exit(1);
  };
  const watch = file === IN_MEMORY ? NO_FILE : new FileWatch(file);
  const group = new WatchedGroup({ group: reserved, watch, file, db, warn, reopen });
  const sweeper = new Sweeper({ db, sql, points: tables.points, isTight: () => reserve.isGivenUp });
  const loop = new JobLoop({
    tables,
    group,
    look: () => {
      group.look();
      reserve.restore();
    },
    changes: () => sql.number('SELECT total_changes()'),
    sweeper: {
      get hasWork() {
        return sweeper.hasWork && !group.isAway;
      },
      wake: () => sweeper.wake(),
      step: () => group.do(() => sweeper.step()),
    },
    check: () => findDamage(db, 'integrity_check'),
    share: () => group.do(() => shareFile(db)) ?? false,
    reclaim: () => group.do(() => holdFile(db)),
    close: () =>
      closeDatabase(
        () => {
          group.rescue();
          db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
        },
        () => db.close(),
      ),
    toError: (error) => toIotmpError(error, file),
    report,
    end: () => {
      looks.cancel();
      end();
    },
  });
  const looks = everySecond(() => loop.look());
  return loop;
}

/** Looks again and again, until it is cancelled. */
function everySecond(look: () => void): Timer {
  let timer: Timer;
  const next = (): Timer =>
    systemClock.after(LOOK_MS, () => {
      timer = next();
      look();
    });
  timer = next();
  return { cancel: () => timer.cancel() };
}

/** How a thread speaks. */
interface Voice {
  readonly report: (report: Report) => void;
  readonly news: News;
}

/** What this thread has to tell beside answers, on its way into the next report. */
class News {
  readonly #warnings: string[] = [];
  readonly #damaged: string[] = [];

  readonly warn = (text: string): void => {
    this.#warnings.push(text);
  };

  readonly noteDamage = (name: string): void => {
    this.#damaged.push(name);
  };

  addTo(report: Report): Report {
    const warnings = this.#warnings.splice(0);
    const damaged = this.#damaged.splice(0);
    return {
      ...report,
      ...(warnings.length > 0 && { warnings }),
      ...(damaged.length > 0 && { damaged }),
    };
  }
}

/** The file is let go of even if its log could not be brought into it; the log is then used at the next opening. */
function closeDatabase(checkpoint: () => void, close: () => void): void {
  try {
    checkpoint();
  } finally {
    close();
  }
}

/** Older versions of Node.js warn at each start that SQLite is an experiment; this package knows. */
process.removeAllListeners('warning');
process.on('warning', (warning) => {
  if (warning.name !== 'ExperimentalWarning') process.stderr.write(`${errorText(warning)}\n`);
});

if (parentPort !== null) serve(parentPort);
