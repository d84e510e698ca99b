import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { writeFormatted } from './formatted-file';
import { RESULTS } from './places';
import type { SuiteResult } from './suite';

/** A result as it is committed, with what it was measured on. */
export interface StoredResult extends SuiteResult {
  readonly node: string;
  readonly cores: number;
  readonly processor: string;
  readonly date: string;
}

/** Keeps a result as the one to compare with. */
export async function storeResult(result: SuiteResult): Promise<void> {
  const stored: StoredResult = {
    ...result,
    node: process.version,
    cores: availableParallelism(),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    date: new Date().toISOString().slice(0, 10),
  };
  mkdirSync(RESULTS, { recursive: true });
  const rounded = (_: string, value: unknown): unknown =>
    typeof value === 'number' ? Number(value.toPrecision(4)) : value;
  await writeFormatted(pathOf(result.suite), JSON.stringify(stored, rounded));
}

/** The committed result of a suite, if there is one. */
export function readResult(suite: string): StoredResult | undefined {
  const path = pathOf(suite);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as StoredResult) : undefined;
}

function pathOf(suite: string): string {
  return join(RESULTS, `${suite}.json`);
}
