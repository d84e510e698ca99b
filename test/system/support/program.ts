import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { Journal } from './journal';

/** How a program ended. */
export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ProgramOptions {
  readonly name: string;
  /** JavaScript file to run with the Node.js of the tests. */
  readonly file: string;
  readonly args?: readonly string[];
  readonly cwd?: string;
  /** Joins the environment of the tests; `undefined` takes a variable out. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Time for an ordered end before a program is killed, in ms. */
const STOP_TIMEOUT_MS = 20_000;

/** A Node.js program that a test runs beside itself. Its owner stops it. */
export class Program {
  /** Lines of both outputs. */
  readonly lines: Journal<string>;
  /** Resolves when the program has ended and its last line was read. */
  readonly ended: Promise<ProgramEnd>;
  readonly #name: string;
  readonly #child: ChildProcess;

  constructor({ name, file, args = [], cwd, env = {} }: ProgramOptions) {
    this.#name = name;
    this.lines = new Journal(name, (line) => line);
    const child = spawn(process.execPath, [file, ...args], {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    const reads = [child.stdout, child.stderr].map((output) => this.#read(output));
    this.ended = once(child, 'close').then(async () => {
      await Promise.all(reads);
      const end = { code: child.exitCode, signal: child.signalCode };
      this.lines.end(`the program has ended (${end.signal ?? `code ${end.code ?? 'unknown'}`})`);
      return end;
    });
  }

  /** @throws Error when the program could not be started */
  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.#name} was not started`);
    return this.#child.pid;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /**
   * Asks the program to end, and waits until it has. Idempotent.
   * @throws Error when it had to be killed
   */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<ProgramEnd> {
    if (!this.running) return this.ended;
    const killer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    this.#child.kill(signal);
    const end = await this.ended;
    clearTimeout(killer);
    if (end.signal !== 'SIGKILL') return end;
    throw new Error(`${this.#name} did not end by itself:\n${this.lines.tail()}`);
  }

  async #read(output: Readable | null): Promise<void> {
    if (output === null) return;
    for await (const line of createInterface({ input: output })) this.lines.add(line);
  }
}
