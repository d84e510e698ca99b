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
/**
 * Callbacks that come late, and are seldom reached while everything throws. Each has a spec file that reaches it, in which
 * it throws and everything else is spared.
 */
const LATE: Readonly<Record<string, string>> = {
  'client stream stop': 'client/streams',
  'body late error': 'gateway/body',
  'API socket written': 'gateway/conversations',
  'upload abort': 'gateway/device-files',
  'body closing': 'gateway/exhaustion',
  'export timeout': 'gateway/exhaustion',
  'file timeout': 'gateway/exhaustion',
  'upgrade end': 'gateway/exhaustion',
  'upgrade readable': 'gateway/exhaustion',
  'losses of a server': 'nodes/loss-watch',
  'node work timeout': 'nodes/call-services',
  'MQTT deregistered': 'nodes/mqtt-bridge',
  'MQTT message': 'nodes/mqtt-bridge',
  'MQTT published': 'nodes/mqtt-bridge',
  'MQTT retained': 'nodes/mqtt-bridge',
  'MQTT status': 'nodes/mqtt-bridge',
  'flow caller gone': 'nodes/reply-store',
  'messages sent': 'services/topics/slow-subscribers',
  'left stream not stopped': 'session/left-streams',
  'left stream stopped': 'session/left-streams',
};
/** Callbacks that no spec reaches, each with the reason. */
const UNREACHED: Readonly<Record<string, string>> = {};
/** Throws that a run needs at least. */
const LEAST_THROWS = times(1) > 1 ? 10_000 : 500;
/** Rounds that the long run may take to have as many. */
const MAX_ROUNDS = 20;
/** Spec files that run in one process: few, as what waits for something that was thrown away may wait for ever. */
const FILES_PER_PROCESS = 6;
/** Timeout of a test while everything throws, and of one in which few places do, in ms. */
const HASTY_MS = 1000;
const PATIENT_MS = 20_000;
/** How long a process may take until it is asked to end, and until it is killed, in ms. */
const PROCESS_MS = 120_000;
const KILLED_MS = 150_000;

/** Spec files that run in one process. */
interface Group {
  readonly files: readonly string[];
  /** The places that throw there; all of them, at random, where none is named. */
  readonly chosen?: readonly string[];
}

/** A group, and what came of it. */
interface Run {
  readonly group: Group;
  readonly report: ThrowReport;
}

/** Runs the spec files of a group while code throws. */
async function runGroup({ files, chosen }: Group, report: string): Promise<ThrowReport> {
  const options = ['--require', 'tsx/cjs', '--require', `${SUPPORT}/preload.ts`];
  const mocha = [
    '--no-config',
    '--exit',
    '--timeout',
    String(chosen === undefined ? HASTY_MS : PATIENT_MS),
    '--extension',
    'ts',
    '--require',
    `${SUPPORT}/hooks.ts`,
  ];
  const child = spawn(process.execPath, [...options, 'node_modules/mocha/bin/mocha.js', ...mocha, ...files], {
    cwd: ROOT,
    env: { ...process.env, RANDOM_THROWS: report, RANDOM_THROWS_CHOSEN: chosen?.join('\n') },
    stdio: 'ignore',
    timeout: PROCESS_MS,
  });
  const killing = setTimeout(() => child.kill('SIGKILL'), KILLED_MS);
  const [, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  clearTimeout(killing);
  if (signal !== null) return { throws: {}, uncaught: [`${files.join(' ')}: ended by ${signal}`] };
  return JSON.parse(readFileSync(report, 'utf8')) as ThrowReport;
}

/** The spec files of a pattern in groups that may run in one process: some of one folder. */
function groupsOf(specs: string): Group[] {
  const files = globSync(specs, { cwd: ROOT }).filter((file) => !LEFT_OUT.test(file));
  return [...Map.groupBy(files, dirname).values()].flatMap((all) =>
    Array.from({ length: Math.ceil(all.length / FILES_PER_PROCESS) }, (_, index) => ({
      files: all.slice(index * FILES_PER_PROCESS, (index + 1) * FILES_PER_PROCESS),
    })),
  );
}

/** Runs groups, each in a process of its own. */
async function runGroups(groups: readonly Group[]): Promise<Run[]> {
  const reportFolder = mkdtempSync(join(tmpdir(), 'iotmp-throws-'));
  cleanUp(() => rmSync(reportFolder, { recursive: true }));
  const runs: Run[] = [];
  const left = groups.entries();
  const work = async (): Promise<void> => {
    for (const [index, group] of left) {
      runs.push({ group, report: await runGroup(group, join(reportFolder, `${index}.json`)) });
    }
  };
  await Promise.all([work(), work()]);
  return runs;
}

/** How often each place has thrown that was reached. */
function totalsOf(runs: readonly Run[]): Map<string, number> {
  const totals = new Map<string, number>();
  for (const [place, count] of runs.flatMap(({ report }) => Object.entries(report.throws))) {
    totals.set(place, (totals.get(place) ?? 0) + count);
  }
  return totals;
}

function sum(runs: readonly Run[]): number {
  return [...totalsOf(runs).values()].reduce((total, count) => total + count, 0);
}

/** The guarded callbacks that have not thrown yet, but those that no spec reaches. */
function untouchedOf(runs: readonly Run[]): string[] {
  const totals = totalsOf(runs);
  return [...places()].filter((place) => !totals.get(place) && !Object.hasOwn(UNREACHED, place));
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

/** Groups in which what has not thrown yet is reached, and alone throws. */
function groupsFor(untouched: readonly string[], runs: readonly Run[]): Group[] {
  const filesFor = (place: string): readonly string[] => {
    const late = LATE[place];
    if (late !== undefined) return [`test/unit/${late}.spec.ts`];
    return runs.find(({ report }) => Object.hasOwn(report.throws, place))?.group.files ?? [];
  };
  const reached = untouched.filter((place) => filesFor(place).length > 0);
  return [...Map.groupBy(reached, (place) => filesFor(place).join(' '))].map(([files, chosen]) => ({
    files: files.split(' '),
    chosen,
  }));
}

/** Everything throws at random; in the long run, in all specs, and then what has not thrown yet throws alone. */
async function runRounds(): Promise<Run[]> {
  const runs = await runGroups(groupsOf(USUAL_SPECS));
  if (times(1) === 1) return runs;
  runs.push(...(await runGroups(groupsOf(ALL_SPECS))));
  runs.push(...(await runGroups(groupsFor(untouchedOf(runs), runs))));
  for (let round = 0; round < MAX_ROUNDS && sum(runs) < LEAST_THROWS; round++) {
    runs.push(...(await runGroups(groupsOf(USUAL_SPECS))));
  }
  return runs;
}

describe('code that throws at random', () => {
  it('ends no process: whatever is thrown in a callback, by encoding, writing, the store or a listener', async () => {
    const runs = await runRounds();
    assert.deepEqual(
      runs.flatMap(({ report }) => report.uncaught),
      [],
    );
    assert.ok(sum(runs) >= LEAST_THROWS, `${sum(runs)} throws`);
    if (times(1) > 1) assert.deepEqual(untouchedOf(runs), [], 'places that have not thrown');
  }).timeout(times(360_000));
});
