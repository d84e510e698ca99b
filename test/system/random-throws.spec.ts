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
/** What the usual run runs, and the long one again and again. */
const USUAL_SPECS = 'test/unit/{session,transport}/*.spec.ts';
/** What the long run runs besides. */
const ALL_SPECS = 'test/unit/**/*.spec.ts';
/** Specs that cannot run by themselves while everything throws, and those that look at the source alone. */
const LEFT_OUT = /\/(kill|architecture|guarded-callbacks)\.spec\.ts$/;
/** Places that only code which nobody runs in specs would reach, each with the reason. */
const UNREACHED: Readonly<Record<string, string>> = {};
/** Throws that a run needs at least. */
const LEAST_THROWS = times(1) > 1 ? 10_000 : 500;
/** Rounds that the long run may take to have as many, and to have each place throw. */
const MAX_USUAL_ROUNDS = 20;
const MAX_SPARING_ROUNDS = 3;
/** Spec files that run in one process: few, as what waits for something that was thrown away may wait for ever. */
const FILES_PER_PROCESS = 6;
/** How long a process may take until it is asked to end, and until it is killed, in ms. */
const PROCESS_MS = 120_000;
const KILLED_MS = 150_000;

type Places = ReadonlyMap<string, number>;

/** Runs spec files in one process while everything throws at random. */
async function runSpecs(files: readonly string[], report: string, spared: Places): Promise<ThrowReport> {
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
    env: { ...process.env, RANDOM_THROWS: report, RANDOM_THROWS_SPARED: [...spared.keys()].join('\n') },
    stdio: 'ignore',
    timeout: PROCESS_MS,
  });
  const killing = setTimeout(() => child.kill('SIGKILL'), KILLED_MS);
  const [, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  clearTimeout(killing);
  if (signal !== null) return { throws: {}, uncaught: [`${files.join(' ')}: ended by ${signal}`] };
  return JSON.parse(readFileSync(report, 'utf8')) as ThrowReport;
}

/** Spec files that may run in one process: some of one folder. */
function inGroups(files: readonly string[]): string[][] {
  return [...Map.groupBy(files, dirname).values()].flatMap((all) =>
    Array.from({ length: Math.ceil(all.length / FILES_PER_PROCESS) }, (_, index) =>
      all.slice(index * FILES_PER_PROCESS, (index + 1) * FILES_PER_PROCESS),
    ),
  );
}

/** Runs specs while everything throws at random but what is spared. A group of files has a process of its own. */
async function runAll(specs: string, spared: Places = new Map()): Promise<ThrowReport[]> {
  const reportFolder = mkdtempSync(join(tmpdir(), 'iotmp-throws-'));
  cleanUp(() => rmSync(reportFolder, { recursive: true }));
  const waiting = inGroups(globSync(specs, { cwd: ROOT }).filter((file) => !LEFT_OUT.test(file)));
  const reports: ThrowReport[] = [];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      reports.push(await runSpecs(next, join(reportFolder, `${waiting.length}.json`), spared));
    }
  };
  await Promise.all([work(), work()]);
  return reports;
}

/** How often each place has thrown. */
function totalsOf(reports: readonly ThrowReport[]): Map<string, number> {
  const totals = new Map<string, number>();
  for (const [place, count] of reports.flatMap(({ throws }) => Object.entries(throws))) {
    totals.set(place, (totals.get(place) ?? 0) + count);
  }
  return totals;
}

function sum(totals: Places): number {
  return [...totals.values()].reduce((total, count) => total + count, 0);
}

/** The guarded callbacks that have not thrown yet, but those that no spec reaches. */
function untouchedOf(totals: Places): string[] {
  return [...places()].filter((place) => !totals.has(place) && !Object.hasOwn(UNREACHED, place));
}

/** The names of all guarded callbacks of the package. */
function places(): Set<string> {
  const text = globSync(['src/**/*.ts', 'nodes/**/*.ts'], { cwd: ROOT })
    .map((file) => readFileSync(join(ROOT, file), 'utf8'))
    .join('\n');
  const calls =
    /\b(?:guarded|guardedListener|detached|nodeHandler|adminRoute|step)\(\s*(?:RED,\s*)?'([^']+)'/g;
  return new Set([...text.matchAll(calls)].map(([, place]) => place ?? ''));
}

/**
 * Everything throws at random in a round. Little that comes late is reached so: in further rounds of the long run only
 * what has not thrown yet does.
 */
async function runRounds(): Promise<ThrowReport[]> {
  const reports = await runAll(USUAL_SPECS);
  if (times(1) === 1) return reports;
  reports.push(...(await runAll(ALL_SPECS)));
  for (let round = 0; round < MAX_SPARING_ROUNDS && untouchedOf(totalsOf(reports)).length > 0; round++) {
    reports.push(...(await runAll(ALL_SPECS, totalsOf(reports))));
  }
  for (let round = 0; round < MAX_USUAL_ROUNDS && sum(totalsOf(reports)) < LEAST_THROWS; round++) {
    reports.push(...(await runAll(USUAL_SPECS)));
  }
  return reports;
}

describe('code that throws at random', () => {
  it('ends no process: whatever is thrown in a callback, by encoding, writing, the store or a listener', async () => {
    const reports = await runRounds();
    assert.deepEqual(
      reports.flatMap(({ uncaught }) => uncaught),
      [],
    );
    const totals = totalsOf(reports);
    assert.ok(sum(totals) >= LEAST_THROWS, `${sum(totals)} throws`);
    if (times(1) === 1) return;
    assert.deepEqual(untouchedOf(totals), [], `${sum(totals)} throws at ${totals.size} places`);
  }).timeout(times(360_000));
});
