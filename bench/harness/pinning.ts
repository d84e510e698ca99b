import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** The contender's core, and that of whoever makes its load. */
export const Core = { contender: 0, load: 1 } as const;

const canPin = availableParallelism() > 1 && spawnSync('taskset', ['-p', String(process.pid)]).status === 0;

/** The command that runs a program on one core, or the program itself where that cannot be had. */
export function pinned(core: number, command: readonly [string, ...string[]]): [string, ...string[]] {
  return canPin ? ['taskset', '-c', String(core), ...command] : [...command];
}
