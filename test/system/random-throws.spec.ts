import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'mocha';
import { cleanUp } from '../support/clean-up';
import { times } from '../support/effort';
import type { ThrowReport } from '../support/random-throws/throws';

const ROOT = join(__dirname, '../..');
const SUPPORT = './test/support/random-throws';
/** What is run: little of it in the usual run, all of it in the long one. */
const SPECS = times(1) > 1 ? 'test/unit/**/*.spec.ts' : 'test/unit/{session,transport}/*.spec.ts';
/** Specs that cannot run by themselves while everything throws, and those that look at the source alone. */
const LEFT_OUT = /\/(kill|architecture|guarded-callbacks)\.spec\.ts$/;
/** Places that only code which nobody runs in specs would reach, each with the reason. */
const UNREACHED: Readonly<Record<string, string>> = {};
/** How long one folder may take, in ms: what waits for something that was thrown away never ends. */
const FOLDER_MS = 280_000;

/** Runs spec files in one process while everything throws at random. */
async function runSpecs(files: readonly string[], report: string): Promise<ThrowReport> {
  const options = ['--require', 'tsx/cjs', '--require', `${SUPPORT}/preload.ts`];
  const mocha = [
    '--no-config',
    '--exit',
    '--timeout',
    '1000',
    '--extension',
    'ts',
    '--require',
    `${SUPPORT}/hooks.ts`,
  ];
  const child = spawn(process.execPath, [...options, 'node_modules/mocha/bin/mocha.js', ...mocha, ...files], {
    cwd: ROOT,
    env: { ...process.env, RANDOM_THROWS: report },
    stdio: 'ignore',
    timeout: FOLDER_MS,
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  // Killed by the limit: some spec waits for what never comes.
  if (code === null) return { throws: {}, uncaught: [] };
  return JSON.parse(readFileSync(report, 'utf8')) as ThrowReport;
}

/** Runs all files, those of each folder in a process of their own, and two folders side by side. */
async function runAll(files: readonly string[]): Promise<ThrowReport[]> {
  const reportFolder = mkdtempSync(join(tmpdir(), 'iotmp-throws-'));
  cleanUp(() => rmSync(reportFolder, { recursive: true }));
  const waiting = [...Map.groupBy(files, dirname)];
  const reports: ThrowReport[] = [];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [folder, specs] = next;
      reports.push(await runSpecs(specs, join(reportFolder, `${folder.replaceAll('/', '-')}.json`)));
    }
  };
  await Promise.all([work(), work()]);
  return reports;
}

/** The names of all guarded callbacks of the package. */
function places(): Set<string> {
  const text = globSync(['src/**/*.ts', 'nodes/**/*.ts'], { cwd: ROOT })
    .map((file) => readFileSync(join(ROOT, file), 'utf8'))
    .join('\n');
  const calls = /\b(?:guarded|detached|nodeHandler|adminRoute|step)\(\s*(?:RED,\s*)?'([^']+)'/g;
  return new Set([...text.matchAll(calls)].map(([, place]) => place ?? ''));
}

describe('code that throws at random', () => {
  it('ends no process: whatever is thrown in a callback, by encoding, writing, the store or a listener', async () => {
    const files = globSync(SPECS, { cwd: ROOT }).filter((file) => !LEFT_OUT.test(file));
    const reports = await runAll(files);
    assert.deepEqual(
      reports.flatMap(({ uncaught }) => uncaught),
      [],
    );
    const totals = new Map<string, number>();
    for (const [place, count] of reports.flatMap(({ throws }) => Object.entries(throws))) {
      totals.set(place, (totals.get(place) ?? 0) + count);
    }
    const total = [...totals.values()].reduce((sum, count) => sum + count, 0);
    assert.ok(total >= times(500), `${total} throws`);
    if (times(1) === 1) return;
    const untouched = [...places()].filter((place) => !totals.has(place) && !Object.hasOwn(UNREACHED, place));
    assert.deepEqual(untouched, [], `${total} throws at ${totals.size} places`);
  }).timeout(times(120_000));
});
