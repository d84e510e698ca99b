import { measureCoverage, reachesCoverageGate } from './coverage';
import { runPool } from './pool';
import { Report } from './report';
import { SpecProcess } from './spec-process';
import { filesOf, SUITES, TIMEOUT_MS, type Suite } from './suites';

const report = new Report((line) => process.stdout.write(`${line}\n`));
const interruption = new AbortController();
const { signal } = interruption;

/** Runs each spec file of the suite in its own process. */
async function run(suite: Suite): Promise<void> {
  const { nodeOptions, jobs, coverage } = suite;
  const env = coverage ? await measureCoverage(process.env) : process.env;
  const tasks = filesOf(suite).map((file) => async () => {
    const specs = new SpecProcess({ files: [file], nodeOptions, env, timeoutMs: TIMEOUT_MS, signal });
    await specs.ended();
    report.add(specs);
  });
  await runPool(tasks, jobs, signal);
  if (coverage && !signal.aborted && !(await reachesCoverageGate()))
    report.fail('coverage is below the gate');
}

function suiteOf(name: string): Suite {
  const suite = SUITES.get(name);
  if (suite === undefined)
    throw new Error(`no suite is named ${name}; there are ${[...SUITES.keys()].join(', ')}`);
  return suite;
}

async function main(names: readonly string[]): Promise<void> {
  for (const suite of names.map(suiteOf)) {
    if (!signal.aborted) await run(suite);
  }
  if (signal.aborted) report.fail(`interrupted by ${String(signal.reason)}`);
  report.end();
  process.exitCode = report.ok ? 0 : 1;
}

for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interruption.abort(name));
void main(process.argv.slice(2));
