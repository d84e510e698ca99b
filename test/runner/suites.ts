import { globSync } from 'node:fs';
import { basename } from 'node:path';

/** Spec files that are run in the same way. */
export interface Suite {
  /** Pattern of the files. */
  readonly specs: string;
  /** Processes side by side. */
  readonly jobs: number;
  /** Whether the coverage of the files is measured, and has to reach the gate of package.json. */
  readonly coverage: boolean;
}

const SUITES: ReadonlyMap<string, Suite> = new Map([
  ['unit', { specs: 'test/unit/**/*.spec.ts', jobs: 4, coverage: true }],
  // They start Node-RED and browsers, which would disturb each other.
  ['system', { specs: 'test/system/**/*.spec.ts', jobs: 1, coverage: false }],
]);

/** The suite of that name; otherwise the name is a pattern of files. */
export function suiteOf(name: string): Suite {
  return SUITES.get(name) ?? { specs: name, jobs: 4, coverage: false };
}

/** The files of a suite, by their base name: specs that wait run beside others that compute. */
export function filesOf({ specs }: Suite): string[] {
  return globSync(specs).sort((one, other) => basename(one).localeCompare(basename(other)));
}
