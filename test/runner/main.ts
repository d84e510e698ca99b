import { failedChecks } from './checks';
import { measureCoverage, reachesCoverageGate } from './coverage';
import { runPool } from './pool';
import { Report } from './report';
import { SpecProcess } from './spec-process';
import { filesOf, suiteOf, usesTypeChecker } from './suites';

// Runs the spec files of the suites, or of the patterns, on its command line; `checks` is what comes before them.

/** Timeout in ms of a test that has no other. `.mocharc.json` repeats it for specs that are run by hand. */
const TIMEOUT_MS = 20_000;

const report = new Report((line) => process.stdout.write(`${line}\n`));
const interruption = new AbortController();
const { signal } = interruption;

/** The coverage of a suite is put together while the next one runs. */
const gates: Promise<void>[] = [];

/** Runs the checks. Resolves with whether there is a point in running specs. */
async function runChecks(): Promise<boolean> {
  const failed = await failedChecks(signal);
  for (const name of failed) report.fail(`npm run ${name}`);
  return failed.length === 0;
}

async function checkCoverage(): Promise<void> {
  if (!(await reachesCoverageGate())) report.fail('coverage is below its gate');
}

async function run(name: string): Promise<void> {
  const suite = suiteOf(name);
  const files = filesOf(suite);
  if (files.length === 0) report.fail(`no file is named ${name}`);
  const common = { ...process.env, TEST_EFFORT: String(suite.effort) };
  const measured = suite.coverage ? await measureCoverage(common) : common;
  const timeoutMs = TIMEOUT_MS * suite.effort;
  await runPool(files, suite.jobs, async (file) => {
    if (signal.aborted) return;
    const env = usesTypeChecker(file) ? common : measured;
    const specs = new SpecProcess(file, { timeoutMs, env, signal });
    await specs.ended();
    report.add(specs);
  });
  if (suite.coverage && !signal.aborted) gates.push(checkCoverage());
}

async function main(names: readonly string[]): Promise<void> {
  const isWorthwhile = !names.includes('checks') || (await runChecks());
  const suites = isWorthwhile ? names.filter((name) => name !== 'checks') : [];
  for (const name of suites) if (!signal.aborted) await run(name);
  await Promise.all(gates);
  if (signal.aborted) report.fail(`interrupted by ${String(signal.reason)}`);
  report.end();
  process.exitCode = report.ok ? 0 : 1;
}

for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => interruption.abort(name));
main(process.argv.slice(2)).catch((error: unknown) => {
  interruption.abort(error);
  throw error;
});
