import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { runPool } from './pool';

/** Scripts of package.json that need no specs, the longest one first. Each keeps one core busy. */
const CHECKS = ['lint', 'typecheck', 'build'];
const SIDE_BY_SIDE = 2;

/** Runs the checks, each to its end; resolves with the names of those that failed. */
export async function failedChecks(signal: AbortSignal): Promise<string[]> {
  const failed: string[] = [];
  await runPool(CHECKS, SIDE_BY_SIDE, async (name) => {
    if (signal.aborted) return;
    const child = spawn('npm', ['run', name], { stdio: 'inherit' });
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) failed.push(name);
  });
  return failed;
}
