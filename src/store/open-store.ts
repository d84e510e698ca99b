import { isBuiltin } from 'node:module';
import { resolve } from 'node:path';
import type { Engine } from './core/engine';
import { Buckets } from './facade/buckets';
import { Documents } from './facade/documents';
import type { FacadeContext } from './facade/facade-context';
import { Properties } from './facade/properties';
import { Retained } from './facade/retained';
import { MemoryEngine } from './memory/memory-engine';
import type { WorkerSettings } from './sqlite/messages';
import { ReopeningEngine } from './sqlite/reopening-engine';
import { storageError } from './sqlite/sqlite-fault';
import { WorkerEngine, type EngineListener } from './sqlite/worker-engine';
import type { Store } from './store';
import { storeLimits, type StoreLimits } from './store-limits';
import { databaseOptions, type FileStoreOptions, type StoreOptions } from './store-options';

/**
 * Opens a store. In a file it is kept by SQLite, which Node.js has from 22.13 on.
 *
 * Rejects with `IOTMP_ERR_CONFIG` for options that are not usable, and with a StorageError for a file that is not: one that
 * another process uses (`locked`), that is damaged (`corrupt`), that a newer version (`newer`) or another program
 * (`foreign`) has written, that cannot be opened (`unavailable`) or written (`readonly`), or where there is no SQLite
 * (`unsupported`). Whatever is in the file is left as it is then. With `reopenAfterMs` only `unsupported` is refused: the
 * store is there, has a `fault`, and opens the file as soon as it can.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const kind = 'file' in options ? 'file' : 'memory';
  const limits = storeLimits(kind, options.limits);
  const engine = 'file' in options ? await openFile(options, limits) : new MemoryEngine(limits);
  return storeOver(kind, { engine, limits, now: options.now ?? Date.now });
}

async function openFile(options: FileStoreOptions, limits: StoreLimits): Promise<Engine> {
  const database = databaseOptions(options);
  const file = resolve(database.file);
  if (!isBuiltin('node:sqlite')) throw storageError('unsupported', file, process.version);
  const { reopenAfterMs: afterMs, onFault, onRecovered } = options;
  const open = (onDeath?: EngineListener['onDeath']): Promise<Engine> =>
    openWorker({ ...database, file, limits }, { onFault, onRecovered, onDeath });
  if (afterMs === undefined) return open();
  const engine = new ReopeningEngine({ open, afterMs, onFault, onRecovered });
  await engine.attempted;
  return engine;
}

async function openWorker(settings: WorkerSettings, listener: EngineListener): Promise<Engine> {
  const engine = new WorkerEngine(settings, listener);
  try {
    await engine.opened;
    return engine;
  } catch (error) {
    await engine.close();
    throw error;
  }
}

function storeOver(kind: Store['kind'], context: FacadeContext): Store {
  const { engine } = context;
  return {
    kind,
    properties: new Properties(context),
    buckets: new Buckets(context),
    retained: new Retained(context),
    documents: new Documents(context),
    get fault() {
      return engine.fault;
    },
    check: () => engine.check(),
    close: () => engine.close(),
  };
}
