import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** Spec files that are run in the same way. */
export interface Suite {
  /** Pattern of the files. */
  readonly specs: string;
  /** Processes side by side. */
  readonly jobs: number;
  /** Whether coverage is measured, but for files that `usesTypeChecker` names, and has to reach the gate of package.json. */
  readonly coverage: boolean;
  /** Factor of repetitions and timeouts. Above 1, only those files are run that use it. */
  readonly effort: number;
}

const SIDE_BY_SIDE = 4;
/** Takes about ten minutes. */
const LONG_EFFORT = Number(process.env.TEST_EFFORT ?? 10);

const SUITES: ReadonlyMap<string, Suite> = new Map([
  ['unit', { specs: 'test/unit/**/*.spec.ts', jobs: SIDE_BY_SIDE, coverage: true, effort: 1 }],
  // They start Node-RED and browsers, which would disturb each other.
  ['system', { specs: 'test/system/**/*.spec.ts', jobs: 1, coverage: false, effort: 1 }],
  ['long', { specs: 'test/**/*.spec.ts', jobs: 2, coverage: false, effort: LONG_EFFORT }],
]);

/** The suite of that name; otherwise the name is a pattern of files. */
export function suiteOf(name: string): Suite {
  return SUITES.get(name) ?? { specs: name, jobs: SIDE_BY_SIDE, coverage: false, effort: 1 };
}

/** The files of a suite, by their base name: specs that wait run beside others that compute. */
export function filesOf({ specs, effort }: Suite): string[] {
  const files = globSync(specs).filter((file) => effort === 1 || usesEffort(file));
  return files.sort((one, other) => basename(one).localeCompare(basename(other)));
}

/** Whether a spec file loads the type checker, which takes twice as long while coverage is measured. */
export function usesTypeChecker(file: string): boolean {
  return readFileSync(file, 'utf8').includes('support/program');
}

function usesEffort(file: string): boolean {
  return readFileSync(file, 'utf8').includes('support/effort');
}
