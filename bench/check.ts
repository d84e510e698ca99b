import { readResult, type StoredResult } from './harness/results';
import type { Ratio, Suite, Thoroughness } from './harness/suite';
import { suites } from './suites/index';

/** So much of a committed ratio may be lost: the runs of a check are short, and machines are never quite idle. */
const TOLERATED_LOSS = 0.15;

/** A ratio that was lost, as far as the measurement can tell. */
interface Loss {
  readonly name: string;
  readonly committed: number;
  readonly now: number;
  /** Share of the committed ratio. */
  readonly loss: number;
}

/** Measures the ratios again and compares them with the committed ones. */
async function main(names: readonly string[]): Promise<void> {
  let failed = false;
  for (const suite of suites) {
    if (names.length > 0 && !names.includes(suite.name)) continue;
    const committed = readResult(suite.name);
    if (committed === undefined) {
      console.log(`${suite.name}: no committed result to compare with`);
      continue;
    }
    const losses = await lossesOf(suite, committed);
    for (const { name, committed: before, now, loss } of losses) {
      console.log(
        `${suite.name}: ${name}: ${now.toFixed(2)}, was ${before.toFixed(2)} (${percent(loss)} lost)`,
      );
    }
    if (losses.length === 0) console.log(`${suite.name}: no ratio lost more than ${percent(TOLERATED_LOSS)}`);
    failed ||= losses.length > 0;
  }
  if (failed) process.exitCode = 1;
}

/** What the quick runs see as a loss is measured again in full before it is believed. */
async function lossesOf(suite: Suite, committed: StoredResult): Promise<Loss[]> {
  const suspects = await compare(suite, suite.quick, committed);
  if (suspects.length === 0) return [];
  const confirmed = new Set((await compare(suite, suite.full, committed)).map(({ name }) => name));
  return suspects.filter(({ name }) => confirmed.has(name));
}

async function compare(suite: Suite, how: Thoroughness, committed: StoredResult): Promise<Loss[]> {
  const { ratios, notes } = await suite.run(how);
  if (ratios.length === 0) console.log(`${suite.name}: ${notes.join(' ')}`);
  return ratios.flatMap((ratio) => lossOf(ratio, committed));
}

function lossOf({ name, value, better }: Ratio, committed: StoredResult): Loss[] {
  const before = committed.ratios.find((ratio) => ratio.name === name)?.value;
  if (before === undefined) return [];
  const loss = 1 - (better === 'more' ? value / before : before / value);
  return loss > TOLERATED_LOSS ? [{ name, committed: before, now: value, loss }] : [];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  // Contenders and load generators end with this process.
  process.exit(1);
});
