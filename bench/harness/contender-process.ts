import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Mark, MemoryFigures, Request, ResponseEnvelope, Responses } from './messages';
import { Core, pinned } from './pinning';
import { contenderScript } from './places';

/** How a contender is started. */
export interface ContenderLaunch {
  /** Name of its program. */
  readonly script: string;
  /** What its `start` gets. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Arguments of Node.js, such as those of a profiler. */
  readonly nodeArguments?: readonly string[];
  /** Where it runs; by default on the contenders' own core. */
  readonly core?: number;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** What a contender did between two marks. */
export interface Interval {
  readonly seconds: number;
  readonly messages: number;
  readonly perSecond: number;
  /** Processor time for a million messages, in s. */
  readonly cpuPerMillion: number;
  /** Processor time over time, 1 = a whole core. */
  readonly cpuShare: number;
  readonly loopDelayMs: number;
  readonly longestDelayMs: number;
  readonly rssMb: number;
}

/** A contender in a process of its own, on a core of its own where that can be had. */
export class ContenderProcess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  port = 0;

  private constructor({ script, nodeArguments = [], core = Core.contender }: ContenderLaunch) {
    const program = [process.execPath, ...nodeArguments, contenderScript(script)] as const;
    const [command, ...rest] = pinned(core, [...program]);
    this.#child = spawn(command, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#child.on('message', (response: ResponseEnvelope) => this.#settle(response));
    this.#child.on('error', (error) => this.#fail(error));
    this.#child.on('exit', (code) => this.#fail(new Error(`${script} ended with ${String(code)}`)));
  }

  static async launch(launch: ContenderLaunch): Promise<ContenderProcess> {
    const contender = new ContenderProcess(launch);
    contender.port = await contender.ask<'start'>({ name: 'start', options: launch.options ?? {} });
    return contender;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Sends a request and waits for the answer. */
  ask<Name extends keyof Responses>(request: Extract<Request, { name: Name }>): Promise<Responses[Name]> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, request });
    });
  }

  mark(): Promise<Mark> {
    return this.ask<'mark'>({ name: 'mark' });
  }

  /** Needs `--expose-gc` among the arguments of Node.js. */
  memory(): Promise<MemoryFigures> {
    return this.ask<'memory'>({ name: 'memory' });
  }

  /** Ends the process, which may have a backlog to work on; resolves when it is gone. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  #settle(response: ResponseEnvelope): void {
    const waiting = this.#waiting.get(response.id);
    this.#waiting.delete(response.id);
    if ('error' in response) waiting?.reject(new Error(response.error));
    else waiting?.resolve(response.value);
  }

  #fail(error: Error): void {
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }
}

/** What happened between two marks. */
export function between(before: Mark, after: Mark): Interval {
  const seconds = (after.at - before.at) / 1000;
  const messages = after.count - before.count;
  const cpu = (after.cpu - before.cpu) / 1e6;
  return {
    seconds,
    messages,
    perSecond: messages / seconds,
    cpuPerMillion: (cpu / messages) * 1e6,
    cpuShare: cpu / seconds,
    loopDelayMs: after.loopDelay,
    longestDelayMs: after.longestDelay,
    rssMb: after.rss / 1e6,
  };
}
