import { globSync } from 'node:fs';

/** Spec files that are run in the same way. */
export interface Suite {
  readonly specs: string;
  /** Processes side by side. */
  readonly jobs: number;
  readonly nodeOptions: readonly string[];
  /** Whether the coverage of these specs is measured, and has to reach the gate of package.json. */
  readonly coverage: boolean;
}

// TypeScript is loaded by an option of Node.js, because workers inherit nothing else.
const REQUIRE_TYPESCRIPT = ['--require', 'tsx/cjs'];
const IMPORT_TYPESCRIPT = ['--import', 'tsx'];

export const SUITES: ReadonlyMap<string, Suite> = new Map([
  ['unit', { specs: 'test/unit/**/*.spec.ts', jobs: 4, nodeOptions: REQUIRE_TYPESCRIPT, coverage: true }],
  ['system', { specs: 'test/system/**/*.spec.ts', jobs: 1, nodeOptions: IMPORT_TYPESCRIPT, coverage: false }],
]);

/** Limit of a test that does not name its own, in ms. `.mocharc.json` has the same for specs that are run by hand. */
export const TIMEOUT_MS = 20_000;

export function filesOf({ specs }: Suite): string[] {
  return globSync(specs).sort();
}
