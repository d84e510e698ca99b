import { readFileSync } from 'node:fs';
import type { Profiler } from 'node:inspector';
import { basename } from 'node:path';

/** Functions that are told of a profile. */
const TOP = 3;
/** Where no code of ours runs: the event loop waits, or the system did not let the thread run. */
const WAITING: readonly string[] = ['(idle)', '(program)', '(root)'];

/** What ran longest in the last part of a profile, with its share of it. @param ms length of that part */
export function topOf(file: string, ms: number): string {
  const {
    nodes,
    samples = [],
    timeDeltas = [],
    endTime,
  } = JSON.parse(readFileSync(file, 'utf8')) as Profiler.Profile;
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const times = new Map<string, number>();
  let at = endTime;
  for (let index = samples.length - 1; index >= 0 && endTime - at < ms * 1000; index--) {
    const name = names.get(samples[index]!) ?? '(root)';
    const delta = timeDeltas[index] ?? 0;
    times.set(name, (times.get(name) ?? 0) + delta);
    at -= delta;
  }
  const all = [...times.values()].reduce((sum, time) => sum + time, 0);
  return [...times]
    .sort(([, one], [, other]) => other - one)
    .slice(0, TOP)
    .map(([name, time]) => `${name} ${((100 * time) / all).toFixed(0)} %`)
    .join(', ');
}

function nameOf({ functionName, url, lineNumber }: Profiler.ProfileNode['callFrame']): string {
  if (WAITING.includes(functionName)) return 'no code of this process';
  const where = url === '' ? '' : ` (${basename(url)}:${lineNumber + 1})`;
  return `${functionName === '' ? 'anonymous' : functionName}${where}`;
}
