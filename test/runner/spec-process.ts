import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { EVENTS_DESCRIPTOR, type SpecEvent } from './events';
import { Outcome, type ProcessEnd } from './outcome';

export interface SpecProcessOptions {
  readonly files: readonly string[];
  /** Options of Node.js. Workers inherit them. */
  readonly nodeOptions: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Limit of a test that does not name its own, in ms. Also the limit of loading a file and of the end. */
  readonly timeoutMs: number;
  /** Ends the process before its time. */
  readonly signal: AbortSignal;
}

/** Time that mocha has for ending a test by itself before its process is killed, in ms. */
const GRACE_MS = 2_000;
/** Time for an ordered end after SIGTERM, in ms. */
const TERMINATION_MS = 5_000;
/** The output of a process that is kept, in characters. The beginning gives way. */
const OUTPUT_LENGTH = 20_000;

const MAIN = join(__dirname, 'run-specs.ts');

/**
 * One process of mocha with its spec files. It leads a process group, so that what its tests have started
 * ends with it.
 */
export class SpecProcess {
  readonly files: readonly string[];
  readonly outcome = new Outcome();
  /** Duration in ms. */
  durationMs = 0;
  readonly #options: SpecProcessOptions;
  readonly #child: ChildProcess;
  #watchdog: NodeJS.Timeout | undefined;
  #killer: NodeJS.Timeout | undefined;
  #killedFor: string | undefined;
  #output = '';

  constructor(options: SpecProcessOptions) {
    const { files, nodeOptions, env, timeoutMs } = options;
    this.files = files;
    this.#options = options;
    this.#child = spawn(process.execPath, [...nodeOptions, MAIN, String(timeoutMs), ...files], {
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
  }

  /** What the process has written on both outputs. */
  get output(): string {
    return this.#output;
  }

  /** Resolves when the process has ended and everything it wrote was read. */
  async ended(): Promise<void> {
    const began = performance.now();
    const { signal, timeoutMs } = this.#options;
    const terminate = () => this.#terminate();
    signal.addEventListener('abort', terminate);
    this.#watch(timeoutMs);
    const [, end] = await Promise.all([this.#readEvents(), this.#end(), this.#readOutput()]);
    clearTimeout(this.#watchdog);
    clearTimeout(this.#killer);
    signal.removeEventListener('abort', terminate);
    this.outcome.close(end);
    this.durationMs = performance.now() - began;
  }

  async #end(): Promise<ProcessEnd> {
    const [code, signal] = (await once(this.#child, 'close')) as [number | null, NodeJS.Signals | null];
    return { code, signal, killedFor: this.#killedFor };
  }

  async #readEvents(): Promise<void> {
    const events = this.#child.stdio[EVENTS_DESCRIPTOR] as Readable;
    for await (const line of createInterface({ input: events })) {
      const event = JSON.parse(line) as SpecEvent;
      this.outcome.add(event);
      if (event.kind === 'begin') this.#watch(event.limitMs || this.#options.timeoutMs);
      else if (event.kind === 'end') this.#watch(this.#options.timeoutMs);
    }
  }

  async #readOutput(): Promise<void> {
    const { stdout, stderr } = this.#child;
    const read = async (output: Readable | null) => {
      for await (const chunk of output?.setEncoding('utf8') ?? []) {
        this.#output = (this.#output + (chunk as string)).slice(-OUTPUT_LENGTH);
      }
    };
    await Promise.all([read(stdout), read(stderr)]);
  }

  /** Kills the process when it is silent for longer than the limit of what it runs. */
  #watch(limitMs: number): void {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => {
      this.#killedFor = `did not end within ${limitMs} ms; its process was killed`;
      this.#signalGroup('SIGKILL');
    }, limitMs + GRACE_MS);
  }

  #terminate(): void {
    this.#signalGroup('SIGTERM');
    this.#killer = setTimeout(() => this.#signalGroup('SIGKILL'), TERMINATION_MS);
  }

  #signalGroup(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
