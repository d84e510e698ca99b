import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

export interface DemoProcessOptions {
  /** Stands before each of its lines. */
  readonly name: string;
  /** JavaScript file to run. */
  readonly file: string;
  readonly args?: readonly string[];
  readonly cwd?: string;
  /** Joins the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Whether a line is worth passing on. Default: every line is. */
  readonly isRelevant?: (line: string) => boolean;
}

/** Time for an ordered end before a process is killed, in ms. */
const STOP_TIMEOUT_MS = 10_000;
const END_WITH_PARENT = join(__dirname, 'end-with-parent.js');

/** A program of the demo as a process of its own, which ends when this process does. */
export class DemoProcess {
  readonly name: string;
  /** Resolves with what is to be said of its end. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;

  constructor({ name, file, args = [], cwd, env = {}, isRelevant = () => true }: DemoProcessOptions) {
    this.name = name;
    const child = spawn(process.execPath, ['--require', END_WITH_PARENT, file, ...args], {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child = child;
    this.ended = endOf(
      child,
      [child.stdout, child.stderr].map((output) => passOn(name, output, isRelevant)),
    );
  }

  /** Asks the process to end, and waits until it has; one that does not is killed. Idempotent. */
  async stop(): Promise<void> {
    const killer = setTimeout(() => {
      console.log(`${this.name} does not end by itself, and is killed`);
      this.#child.kill('SIGKILL');
    }, STOP_TIMEOUT_MS);
    if (this.#child.connected) this.#child.disconnect();
    await this.ended;
    clearTimeout(killer);
  }
}

/** A child whose channel was closed from this side never tells of `close`, so its output is waited for here. */
async function endOf(child: ChildProcess, outputs: readonly Promise<void>[]): Promise<string> {
  try {
    await once(child, 'exit');
  } catch (error) {
    return `could not be started: ${String(error)}`;
  }
  await Promise.all(outputs);
  return child.signalCode === null
    ? `has ended with code ${child.exitCode ?? 'unknown'}`
    : `was ended by ${child.signalCode}`;
}

/** Resolves when the output has ended. */
async function passOn(
  name: string,
  output: Readable | null,
  isRelevant: (line: string) => boolean,
): Promise<void> {
  if (output === null) return;
  for await (const line of createInterface({ input: output })) {
    if (isRelevant(line)) console.log(`${name.padEnd(15)} | ${line}`);
  }
}
