import type { SuiteResult } from '../harness/suite';

/** The result of a suite that could not run, and why. */
export function skipped(suite: string, title: string, reason: string): SuiteResult {
  return { suite, title, notes: [reason], rows: [], ratios: [] };
}
