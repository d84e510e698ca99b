import { IotmpError } from '../../errors';
import { guarded, warnProcess } from '../../util/guard';
import { DamagedRecords, damageTeller } from '../damaged-records';
import type { Store } from '../store';
import { storeLimits } from '../store-limits';
import type { StoreOptions } from '../store-options';
import { databaseOptions } from './database/database-options';
import { SqliteBuckets } from './tables/buckets';
import { SqliteDocuments } from './tables/documents';
import { SqliteProperties } from './tables/properties';
import { SqliteRetained } from './tables/retained';
import { copyDatabase } from './thread/database-copy';
import { DatabaseSupervisor } from './thread/database-supervisor';

/** Opens a store in SQLite, see `openStore`. All of its work is done by a thread of its own. */
export async function openSqliteStore(options: StoreOptions): Promise<Store> {
  const kind = 'file' in options ? 'file' : 'memory';
  const { now = Date.now, reopenAfterMs, onFault, onRecovered } = options;
  const limits = storeLimits(kind, options.limits);
  const settings = { ...databaseOptions(options), limits };
  const tell = guarded('store warning', warnProcess, (text: string) => options.onWarning?.(text));
  const damaged = new DamagedRecords(damageTeller(tell));
  const database = new DatabaseSupervisor({
    settings,
    reopenAfterMs,
    onFault,
    onRecovered,
    onWarning: tell,
    onDamaged: (name) => damaged.note(name),
  });
  await database.attempted;
  if (database.fault !== undefined && reopenAfterMs === undefined) {
    await database.close();
    throw database.fault;
  }
  const context = { database: database.jobs, limits, damaged, now };
  return {
    kind,
    properties: new SqliteProperties(context),
    buckets: new SqliteBuckets(context),
    retained: new SqliteRetained(context),
    documents: new SqliteDocuments(context),
    get fault() {
      return database.fault;
    },
    get damagedRecords() {
      return damaged.count;
    },
    check: () => database.jobs.check(),
    copyTo: async (target, signal = new AbortController().signal) => {
      if (kind === 'memory') throw new IotmpError('IOTMP_ERR_CONFLICT', 'the store is in memory');
      await copyDatabase(database.jobs, { file: settings.file, target }, signal);
    },
    close: () => database.close(),
  };
}
