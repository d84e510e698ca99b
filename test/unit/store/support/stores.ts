import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext } from 'node:test';
import { openStore } from '../../../../src/store/open-store';
import type { Store } from '../../../../src/store/store';
import type { StoreLimits } from '../../../../src/store/store-limits';
import type { FileStoreOptions } from '../../../../src/store/store-options';

/** What a test may choose of a store of either kind. */
export interface TestStoreOptions {
  readonly limits?: Partial<StoreLimits>;
  readonly now?: () => number;
}

export type OpenTestStore = (t: TestContext, options?: TestStoreOptions) => Promise<Store>;

/** Runs the same tests on both kinds of store. */
export function describeStores(
  title: string,
  tests: (open: OpenTestStore, kind: Store['kind']) => void,
): void {
  describe(`${title} (memory)`, () =>
    tests((t, options) => closedAfter(t, openStore({ memory: true, ...options })), 'memory'));
  describe(`${title} (file)`, () => tests((t, options) => openFileStore(t, options), 'file'));
}

/** A store in a file of its own, both gone after the test. */
export function openFileStore(t: TestContext, options: Partial<FileStoreOptions> = {}): Promise<Store> {
  const file = options.file ?? join(temporaryFolder(t), 'store.db');
  return closedAfter(t, openStore({ ...options, file }));
}

/** A folder that is removed after the test. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'iotmp-store-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function closedAfter(t: TestContext, opening: Promise<Store>): Promise<Store> {
  const store = await opening;
  t.after(() => store.close());
  return store;
}

/** For `assert.rejects`: an error of the catalogue. */
export function withCode(code: string, reason?: string): { code: string; reason?: string } {
  return { code, ...(reason !== undefined && { reason }) };
}
