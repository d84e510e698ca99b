import { writeFileSync } from 'node:fs';
import { promiseHooks } from 'node:v8';

/** How often something throws that has thrown before. */
const AGAIN = 0.05;

/** What a process that throws at random has to tell. */
export interface ThrowReport {
  /** How often each place has thrown. */
  readonly throws: Readonly<Record<string, number>>;
  /** What of it nobody caught: each of them would have ended the process. */
  readonly uncaught: readonly string[];
}

/** An error of no cause. */
export class RandomThrow extends Error {
  override readonly name = 'RandomThrow';
}

const throws = new Map<string, number>();
/** Places that are spared, so that what comes after them is reached. */
const spared = new Set(process.env.RANDOM_THROWS_SPARED?.split('\n'));
const uncaught: string[] = [];
/** Promises that were made by a call from a spec. A spec that fails in between does not wait for them any more. */
const ofSpecs = new WeakSet<Promise<unknown>>();

/** Throws now and then. What has never thrown does so every other time. */
export function mayThrow(place: string): void {
  if (spared.has(place)) return;
  const count = throws.get(place) ?? 0;
  if (Math.random() >= (count === 0 ? 0.5 : AGAIN)) return;
  throws.set(place, count + 1);
  throw new RandomThrow(place);
}

/** Writes the report to a file when the process ends, or is asked to end. */
export function reportAtExit(file: string): void {
  Error.stackTraceLimit = 50;
  promiseHooks.onInit((promise) => {
    if (isCalledBySpec()) ofSpecs.add(promise);
  });
  // mocha throws what was rejected once more: it is noted once.
  const seen = new Set<unknown>();
  const note = (error: unknown): void => {
    if (!(error instanceof RandomThrow) || seen.has(error)) return;
    seen.add(error);
    // A promise that a spec itself has let go says nothing about the package.
    if (error.stack?.includes('/test/unit/') !== true) uncaught.push(String(error.stack));
  };
  process.on('uncaughtExceptionMonitor', note);
  process.on('unhandledRejection', (error, promise) => {
    if (ofSpecs.has(promise)) seen.add(error);
    note(error);
  });
  process.on('SIGTERM', () => process.exit());
  process.on('exit', () => {
    const report: ThrowReport = { throws: Object.fromEntries(throws), uncaught };
    writeFileSync(file, JSON.stringify(report));
  });
}

function isCalledBySpec(): boolean {
  const usual = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace');
  Error.prepareStackTrace = (_error, sites) =>
    sites.some((site) => site.getFileName()?.includes('/test/unit/') === true);
  const { stack } = new Error() as { readonly stack?: unknown };
  if (usual === undefined) Reflect.deleteProperty(Error, 'prepareStackTrace');
  else Object.defineProperty(Error, 'prepareStackTrace', usual);
  return stack === true;
}
