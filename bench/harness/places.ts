import { join } from 'node:path';

/** The project, seen from the compiled benchmark. */
export const ROOT = join(__dirname, '..', '..', '..');

/** Sources of the load generator. */
export const LOAD_SOURCES = join(ROOT, 'bench', 'load');

/** Committed results, one file for each suite. */
export const RESULTS = join(ROOT, 'bench', 'results');

/** Where the report and the charts go. */
export const DOCS = join(ROOT, 'docs');

/** The compiled program of a contender. */
export function contenderScript(name: string): string {
  return join(__dirname, '..', 'contenders', `${name}.js`);
}
