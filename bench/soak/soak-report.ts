import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { ApiCounts } from './api-program';
import type { ChurnCounts } from './churn';
import { topOf } from './profile-top';
import type { Sample } from './sample';
import type { Trend } from './trend';

/** What a soak has found. */
export interface SoakResults {
  readonly samples: readonly Sample[];
  readonly trends: readonly Trend[];
  readonly churned: ChurnCounts;
  readonly asked: ApiCounts;
  /** Files of the profiles of long stalls. */
  readonly stalls: readonly string[];
}

const MARK = '<!-- results: written by `npm run soak` -->';

/** Writes the results behind the mark in a file, whose text before it stays. */
export function writeReport(path: string, results: SoakResults): void {
  const [text = ''] = existsSync(path) ? readFileSync(path, 'utf8').split(MARK) : [];
  writeFileSync(path, `${text}${MARK}\n\n${tablesOf(results)}`);
}

function tablesOf({ samples, trends, churned, asked, stalls }: SoakResults): string {
  const last = samples.at(-1)!;
  const longest = samples.reduce((one, other) => (other.stallMs > one.stallMs ? other : one));
  const rows: [string, string][] = [
    ['length', `${last.minute.toFixed(0)} minutes, ${samples.length} samples`],
    [
      'devices',
      `${churned.stays} stays, of which ${churned.takeOvers} ended with a take-over; ${churned.doings} requests`,
    ],
    ['requests that failed', countsOf(churned.failures)],
    [
      'API',
      `${asked.requests} requests, ${asked.sockets} sockets; not answered with success: ${countsOf(asked.refusals)}`,
    ],
    ['messages', String(last.messages)],
    ['resident memory at the end', `${(last.rss / 2 ** 20).toFixed(0)} MiB`],
    ['calls of the good device', `${sum(samples.map(({ calls }) => calls))}, ${last.failed} failed`],
    ['their median', rangeOf(samples.map(({ medianMs }) => medianMs))],
    ['their 99th percentile', rangeOf(samples.map(({ p99Ms }) => p99Ms))],
    [
      'longest stall of the event loop',
      `${longest.stallMs.toFixed(0)} ms at minute ${longest.minute.toFixed(1)}; the process computed for ${longest.stallCpuMs.toFixed(0)} ms of it`,
    ],
    ['callbacks that threw', String(last.faults)],
  ];
  const grown = trends.map(
    ({ name, mean, growth, allowed, unit, met }) =>
      `| ${name} | ${mean.toFixed(1)} ${unit} | ${growth.toFixed(1)} | ${allowed.toFixed(1)} | ${met ? 'yes' : '**no**'} |`,
  );
  return [
    '| figure | measured |',
    '| --- | --- |',
    ...rows.map(([name, value]) => `| ${name} | ${value} |`),
    '',
    '| must not grow | mean | growth | allowed | met |',
    '| --- | --- | --- | --- | --- |',
    ...grown,
    '',
    stalls.length === 0
      ? 'The event loop never stood still for more than 500 ms.'
      : 'What ran where the event loop stood still for more than 500 ms:',
    '',
    ...stalls.map(stallLine),
    '',
  ].join('\n');
}

function countsOf(counts: ReadonlyMap<string, number>): string {
  return counts.size === 0 ? 'none' : [...counts].map(([name, count]) => `${name} ${count}`).join(', ');
}

/** A range without the slowest hundredth of the samples, and the slowest. */
function rangeOf(values: readonly number[]): string {
  const sorted = [...values].sort((one, other) => one - other);
  const at = (share: number): string => sorted[Math.floor(share * (sorted.length - 1))]!.toFixed(1);
  return `${at(0.5)} ms in the middle sample, ${at(0)} to ${at(1)} ms in all`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** A line about a profile; its name tells the length of the stall, and what the process computed meanwhile, in ms. */
function stallLine(file: string): string {
  const [, length = 0, cpu] = /-(\d+)ms(?:-(\d+)ms)?/.exec(basename(file)) ?? [];
  const own = cpu === undefined ? '' : `, ${cpu} ms of it computing`;
  return `- ${length} ms${own}: ${topOf(file, Number(length))}`;
}
