import { writeReport } from './harness/report';
import { readResult, storeResult } from './harness/results';
import { formatResult } from './harness/table';
import { suites } from './suites/index';

/** Runs the suites that are named, or all of them, and keeps what they find. */
async function main(names: readonly string[]): Promise<void> {
  const unknown = names.filter((name) => !suites.some((suite) => suite.name === name));
  if (unknown.length > 0) {
    const known = suites.map(({ name }) => name).join(', ');
    throw new Error(`no suite ${unknown.join(', ')}; there are ${known}`);
  }
  for (const suite of suites) {
    if (names.length > 0 && !names.includes(suite.name)) continue;
    const start = performance.now();
    console.log(`\n## ${suite.title} (${suite.name})\n`);
    const result = await suite.run(suite.full);
    console.log(formatResult(result));
    console.log(`\n${((performance.now() - start) / 1000).toFixed(0)} s`);
    if (result.rows.length > 0) await storeResult(result);
  }
  await writeReport(suites.flatMap(({ name }) => readResult(name) ?? []));
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  // Contenders and load generators end with this process.
  process.exit(1);
});
