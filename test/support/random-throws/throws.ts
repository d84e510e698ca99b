import { writeFileSync } from 'node:fs';
import { promiseHooks } from 'node:v8';

/** How often something throws that has thrown before. */
const AGAIN = 0.05;

/** What a process that throws at random has to tell. */
export interface ThrowReport {
  /** How often each place has thrown that was reached. */
  readonly throws: Readonly<Record<string, number>>;
  /** What of it nobody caught: each of them would have ended the process. */
  readonly uncaught: readonly string[];
}

/** An error of no cause. */
export class RandomThrow extends Error {
  override readonly name = 'RandomThrow';
}

const throws = new Map<string, number>();
/** The places that throw, each as soon as it is reached, where everything else is spared; all of them at random otherwise. */
const chosen = process.env.RANDOM_THROWS_CHOSEN?.split('\n');
const uncaught: string[] = [];
/** Where promises were made. A spec that fails in between does not wait any more for those that it has had made. */
const origins = new WeakMap<Promise<unknown>, Error>();

/** Throws now and then. What has never thrown does so every other time, and at once where it is chosen. */
export function mayThrow(place: string): void {
  if (chosen?.includes(place) === false) return;
  const count = throws.get(place) ?? 0;
  throws.set(place, count);
  const first = chosen === undefined ? 0.5 : 1;
  if (Math.random() >= (count === 0 ? first : AGAIN)) return;
  throws.set(place, count + 1);
  throw new RandomThrow(place);
}

/** Writes the report to a file when the process ends, or is asked to end. */
export function reportAtExit(file: string): void {
  Error.stackTraceLimit = 50;
  promiseHooks.onInit((promise) => {
    // What it says is put together only when it is read.
    origins.set(promise, new Error('made here'));
  });
  // mocha throws what was rejected once more: it is noted once.
  const seen = new Set<unknown>();
  const note = (error: unknown): void => {
    if (!(error instanceof RandomThrow) || seen.has(error)) return;
    seen.add(error);
    // A promise that a spec itself has let go says nothing about the package.
    if (!isOfSpec(error)) uncaught.push(String(error.stack));
  };
  process.on('uncaughtExceptionMonitor', note);
  process.on('unhandledRejection', (error, promise) => {
    const origin = origins.get(promise);
    if (origin !== undefined && isOfSpec(origin)) seen.add(error);
    note(error);
  });
  process.on('SIGTERM', () => process.exit());
  process.on('exit', () => {
    const report: ThrowReport = { throws: Object.fromEntries(throws), uncaught };
    writeFileSync(file, JSON.stringify(report));
  });
}

/** Whether a spec is among the callers of what made the error. */
function isOfSpec({ stack }: Error): boolean {
  return stack?.includes('/test/unit/') === true;
}
