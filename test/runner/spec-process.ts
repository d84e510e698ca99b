import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { EVENTS_DESCRIPTOR, type SpecEvent } from './events';
import { Outcome } from './outcome';

export interface SpecProcessOptions {
  /** Timeout in ms of a test that has no other. Also the limit of loading the file, and of the end. */
  readonly timeoutMs: number;
  readonly env: NodeJS.ProcessEnv;
  /** Ends the process before its time. */
  readonly signal: AbortSignal;
}

/** Time for mocha to end a test by its timeout, before the process is killed, in ms. */
const GRACE_MS = 2_000;
/** Time for an ordered end after SIGTERM, in ms. */
const TERMINATION_MS = 5_000;
/** The output of a process that is kept, in characters. The oldest gives way. */
const OUTPUT_LENGTH = 20_000;

// An option of Node.js, because workers inherit nothing else.
const NODE_OPTIONS = ['--require', join(__dirname, 'load-typescript.cjs')];
const MAIN = join(__dirname, 'run-specs.ts');

/** The process of one spec file. It leads a process group, so that everything its tests have started ends with it. */
export class SpecProcess {
  readonly file: string;
  readonly outcome = new Outcome();
  /** Both outputs of the process. */
  output = '';
  /** Duration in ms, once the process has ended. */
  durationMs = 0;
  readonly #options: SpecProcessOptions;
  readonly #child: ChildProcess;
  #watchdog: NodeJS.Timeout | undefined;
  #killedFor: string | undefined;

  constructor(file: string, options: SpecProcessOptions) {
    this.file = file;
    this.#options = options;
    this.#child = spawn(process.execPath, [...NODE_OPTIONS, MAIN, file, String(options.timeoutMs)], {
      env: options.env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
  }

  /** Resolves when the process has ended and everything that it wrote was read. */
  async ended(): Promise<void> {
    const began = performance.now();
    const { signal, timeoutMs } = this.#options;
    const [stdout, stderr] = [this.#child.stdout, this.#child.stderr];
    let killer: NodeJS.Timeout | undefined;
    const terminate = () => {
      this.#signalGroup('SIGTERM');
      killer = setTimeout(() => this.#signalGroup('SIGKILL'), TERMINATION_MS);
    };
    signal.addEventListener('abort', terminate);
    this.#watch(timeoutMs);
    const closed = once(this.#child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
    const [[code, killedBy]] = await Promise.all([
      closed,
      this.#readEvents(),
      this.#keep(stdout),
      this.#keep(stderr),
    ]);
    clearTimeout(this.#watchdog);
    clearTimeout(killer);
    signal.removeEventListener('abort', terminate);
    this.outcome.close({ code, signal: killedBy, killedFor: this.#killedFor });
    this.durationMs = performance.now() - began;
  }

  async #readEvents(): Promise<void> {
    const { timeoutMs } = this.#options;
    for await (const line of createInterface(this.#child.stdio[EVENTS_DESCRIPTOR] as Readable)) {
      const event = JSON.parse(line) as SpecEvent;
      this.outcome.add(event);
      if (event.kind === 'begin') this.#watch(event.limitMs || timeoutMs);
      else if (event.kind === 'end') this.#watch(timeoutMs);
    }
  }

  async #keep(output: Readable | null): Promise<void> {
    for await (const chunk of output?.setEncoding('utf8') ?? []) {
      this.output = `${this.output}${chunk as string}`.slice(-OUTPUT_LENGTH);
    }
  }

  /** Kills the process unless its next event, or its end, comes in time. */
  #watch(limitMs: number): void {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => {
      this.#killedFor = `did not end within ${limitMs} ms, and its process was killed`;
      this.#signalGroup('SIGKILL');
    }, limitMs + GRACE_MS);
  }

  #signalGroup(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch (error) {
      // It has ended meanwhile.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
