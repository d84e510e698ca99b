import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { cleanUp } from '../../../support/clean-up';

/** A process of its own that runs some JavaScript until it ends, or the test does. */
export interface Child {
  readonly process: ChildProcess;
  /** The next line that it prints; undefined when it has ended. */
  nextLine(): Promise<string | undefined>;
  readonly exited: Promise<unknown>;
}

export function runChild(
  code: string,
  args: readonly string[],
  flags: readonly string[] = [],
  options: SpawnOptions = {},
): Child {
  const child = spawn(process.execPath, [...flags, '-e', code, ...args], {
    ...options,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  cleanUp(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    process: child,
    exited,
    async nextLine() {
      const next = await lines.next();
      return next.done === true ? undefined : next.value;
    },
  };
}
