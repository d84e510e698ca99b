import { writeFileSync } from 'node:fs';

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
const uncaught: string[] = [];

/** Throws now and then. What has never thrown does so every other time. */
export function mayThrow(place: string): void {
  const count = throws.get(place) ?? 0;
  if (Math.random() >= (count === 0 ? 0.5 : AGAIN)) return;
  throws.set(place, count + 1);
  throw new RandomThrow(place);
}

/** Writes the report to a file when the process ends. */
export function reportAtExit(file: string): void {
  const note = (error: unknown): void => {
    // A promise that a spec itself has let go says nothing about the package.
    if (error instanceof RandomThrow && !error.stack?.includes('/test/unit/'))
      uncaught.push(String(error.stack));
  };
  process.on('uncaughtExceptionMonitor', note);
  process.on('unhandledRejection', note);
  process.on('exit', () => {
    const report: ThrowReport = { throws: Object.fromEntries(throws), uncaught };
    writeFileSync(file, JSON.stringify(report));
  });
}
