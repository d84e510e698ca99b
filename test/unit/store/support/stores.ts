import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'mocha';
import { openStore } from '../../../../src/store/open-store';
import type { Store } from '../../../../src/store/store';
import type { StoreLimits } from '../../../../src/store/store-limits';
import type { FileStoreOptions } from '../../../../src/store/store-options';
import { cleanUp } from '../../../support/clean-up';

/** What a test may choose of a store of any kind. */
export interface TestStoreOptions {
  readonly limits?: Partial<StoreLimits>;
  readonly now?: () => number;
}

export type OpenTestStore = (options?: TestStoreOptions) => Promise<Store>;

/** How each kind of store is opened. What is added here has to pass all specs of the folder `conformance`. */
const STORES: Readonly<Record<Store['kind'], OpenTestStore>> = {
  memory: (options) => closedAfter(openStore({ memory: true, ...options })),
  file: (options) => openFileStore(options),
};

/** Runs the same tests on each kind of store. */
export function describeStores(
  title: string,
  tests: (open: OpenTestStore, kind: Store['kind']) => void,
): void {
  for (const kind of ['memory', 'file'] as const) {
    describe(`${title} (${kind})`, () => tests(STORES[kind], kind));
  }
}

/** A store in a file of its own, both gone after the test. */
export function openFileStore(options: Partial<FileStoreOptions> = {}): Promise<Store> {
  const file = options.file ?? join(temporaryFolder(), 'store.db');
  return closedAfter(openStore({ reserveBytes: 0, ...options, file }));
}

/** A folder that is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'iotmp-store-'));
  cleanUp(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function closedAfter(opening: Promise<Store>): Promise<Store> {
  const store = await opening;
  cleanUp(() => store.close());
  return store;
}

/** For `assert.rejects`: an error of the catalogue. */
export function withCode(code: string, reason?: string): { code: string; reason?: string } {
  return { code, ...(reason !== undefined && { reason }) };
}
