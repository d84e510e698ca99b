import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { programOf, unguardedCallbacks } from './support/unguarded-callbacks';

const ROOT = join(__dirname, '../..');

/** A file of callbacks, half of them without a guard. */
const UNGUARDED = join(__dirname, 'support/fixtures/callbacks.ts');

/** Callbacks that cannot be guarded, each with the reason why they do no harm. */
const HARMLESS: Readonly<Record<string, string>> = {
  'src/transport/connect.ts () => socket': 'ws needs the returned socket; nothing in it can throw',
  'src/transport/web-socket-acceptor.ts (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false)':
    'ws needs the returned name; nothing in it can throw',
  'nodes/lib/server/http-router.ts other': 'listeners of others, put back as they were',
};

/** The thread of a store: what is thrown there ends the thread alone, and the store takes its file up again. */
const SUPERVISED: readonly string[] = [
  'src/store/sqlite/thread/job-loop.ts',
  'src/store/sqlite/thread/worker.ts',
];

/** Node-RED catches what the constructor of a node throws, and shows it. */
const CONSTRUCTOR = /^function \(this: \w+, config/;

describe('callbacks', () => {
  it('that are handed to code outside of this project are guarded', () => {
    const files = globSync(['src/**/*.ts', 'nodes/**/*.ts'], { cwd: ROOT }).map((file) => join(ROOT, file));
    const found = unguardedCallbacks(programOf(ROOT, files), ROOT, ['src', 'nodes'])
      .filter(({ file }) => !SUPERVISED.includes(file))
      .filter(({ text }) => !CONSTRUCTOR.test(text))
      .filter(({ file, text }) => !Object.hasOwn(HARMLESS, `${file} ${text}`));
    assert.deepEqual(
      found.map(({ file, line, text }) => `${file}:${line} ${text}`),
      [],
    );
  }).timeout(180_000);

  it('are found where they are not guarded', () => {
    const found = unguardedCallbacks(programOf(ROOT, [UNGUARDED]), ROOT, ['test/unit/support/fixtures']);
    assert.deepEqual(
      found.map(({ line }) => line),
      [10, 11, 12, 13, 14, 15],
    );
  });
});
