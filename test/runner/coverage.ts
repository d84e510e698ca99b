import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';

const DATA = resolve('coverage/tmp');

/** Forgets earlier measurements. Answers the environment of processes whose coverage is measured. */
export async function measureCoverage(env: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> {
  await rm(DATA, { recursive: true, force: true });
  return { ...env, NODE_V8_COVERAGE: DATA };
}

/** Prints the coverage. Resolves with whether it reaches the gate of package.json. */
export async function reachesCoverageGate(): Promise<boolean> {
  const child = spawn('c8', ['report', `--temp-directory=${DATA}`], { stdio: 'inherit' });
  const [code] = (await once(child, 'close')) as [number | null];
  return code === 0;
}
