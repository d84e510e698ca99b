import { measureCoverage, reachesCoverageGate } from './coverage';
import { runPool } from './pool';
import { Report } from './report';
import { SpecProcess } from './spec-process';
import { filesOf, suiteOf } from './suites';

// Runs the spec files of the suites, or of the patterns, on its command line.

/** Timeout in ms of a test that has no other. `.mocharc.json` repeats it for specs that are run by hand. */
const TIMEOUT_MS = 20_000;

const report = new Report((line) => process.stdout.write(`${line}\n`));
const interruption = new AbortController();
const { signal } = interruption;

async function run(name: string): Promise<void> {
  const suite = suiteOf(name);
  const files = filesOf(suite);
  if (files.length === 0) report.fail(`no file is named ${name}`);
  const common = { ...process.env, TEST_EFFORT: String(suite.effort) };
  const env = suite.coverage ? await measureCoverage(common) : common;
  const timeoutMs = TIMEOUT_MS * suite.effort;
  await runPool(files, suite.jobs, async (file) => {
    if (signal.aborted) return;
    const specs = new SpecProcess(file, { timeoutMs, env, signal });
    await specs.ended();
    report.add(specs);
  });
  if (suite.coverage && !signal.aborted && !(await reachesCoverageGate()))
    report.fail('coverage is below its gate');
}

async function main(names: readonly string[]): Promise<void> {
  for (const name of names) if (!signal.aborted) await run(name);
  if (signal.aborted) report.fail(`interrupted by ${String(signal.reason)}`);
  report.end();
  process.exitCode = report.ok ? 0 : 1;
}

for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => interruption.abort(name));
main(process.argv.slice(2)).catch((error: unknown) => {
  interruption.abort(error);
  throw error;
});
