import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { GeneratorProgram } from './build-generator';
import { Core, pinned } from './pinning';

/** Of those of the system, in which 19 is the lowest. */
const LOW_PRIORITY = 10;

/** Which frames the generator answers, and how; see `load/frames.h`. */
export interface AnswerRule {
  readonly type: number;
  readonly mask?: number;
  /** The part of the request that the answer repeats: the first field of the body, or its last bytes. */
  readonly part: 'field' | number;
  readonly answerType: number;
  readonly head?: Buffer;
  readonly tail?: Buffer;
  /** Whether the part leads each message that the connection sends later. */
  readonly captures?: boolean;
  /** Which connections answer. */
  readonly who?: 'all' | 'first' | 'rest';
}

/** What a run of traffic came to. */
export interface TrafficFigures {
  readonly seconds: number;
  /** Processor time of the generator, in s. */
  readonly cpu: number;
  readonly sent: number;
  /** Frames that came on all connections but the first. */
  readonly received: number;
  readonly answered: number;
  readonly failed: number;
}

/** What came back to the first connection while answers led to answers. */
export interface RelayFigures {
  readonly seconds: number;
  /** Processor time of the generator, in s. */
  readonly cpu: number;
  readonly returned: number;
  /** Frames on any connection that no rule has an answer to. */
  readonly unanswered: number;
  /** Of the times from one frame to the next, in µs. */
  readonly median: number;
  readonly p99: number;
}

/** What the connections of the generator are. */
export type LoadTransport = 'tcp' | 'ws' | 'tls';

/** What the generator is told of the connections. */
export interface OpenOptions {
  /** What each connection sends first. */
  readonly first: readonly Buffer[];
  /** Connections that are made at once. */
  readonly window?: number;
  /** Frames until a connection counts as open. */
  readonly frames: number;
}

/** The load generator in a process of its own. */
export class LoadGenerator {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;
  readonly #directory = mkdtempSync(join(tmpdir(), 'iotmp-load-'));
  #files = 0;

  constructor(program: GeneratorProgram, port: number, transport: LoadTransport = 'tcp') {
    const [command, ...rest] = pinned(Core.load, [program.path]);
    this.#child = spawn(command, rest, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.#tell(`port ${port}`);
    if (transport === 'ws') this.#tell('websocket');
    if (transport === 'tls') this.#tell('tls');
  }

  rule(rule: AnswerRule): void {
    const { type, mask = 0xff, part, answerType, head, tail, captures = false, who = 'all' } = rule;
    const bytes = (data: Buffer | undefined): string =>
      data === undefined || data.length === 0 ? '-' : data.toString('hex');
    const hex = [type, mask].map((value) => value.toString(16)).join(' ');
    const answer = `${answerType.toString(16)} ${bytes(head)} ${bytes(tail)} ${Number(captures)} ${who}`;
    this.#tell(`rule ${hex} ${part} ${answer}`);
  }

  /** Makes connections; resolves with the time in s when all of them are up. */
  async open({ first, window = 64, frames }: OpenOptions): Promise<number> {
    const command = `open ${first.length} ${window} ${frames} ${this.#file(first)}`;
    const { seconds, opened, failed } = await this.#ask<{ seconds: number; opened: number; failed: number }>(
      command,
    );
    if (opened !== first.length) {
      throw new Error(`${opened} of ${first.length} connections came up, and ${failed} failed`);
    }
    return seconds;
  }

  /** Lets whoever else runs on its core go first: while it keeps a pace, it never sleeps. */
  giveWay(): void {
    if (this.#child.pid !== undefined) setPriority(this.#child.pid, LOW_PRIORITY);
  }

  /** Sets what each connection sends: the captured part, and these bytes. */
  message(type: number, bodies: readonly Buffer[], perWrite = 1): void {
    this.#tell(`message ${type.toString(16)} ${this.#file(bodies)} ${perWrite}`);
  }

  flood(seconds: number): Promise<TrafficFigures> {
    return this.#ask(`flood ${seconds}`);
  }

  pace(seconds: number, rate: number): Promise<TrafficFigures> {
    return this.#ask(`pace ${seconds} ${rate}`);
  }

  /** Batches of as many messages as {@link message} puts into one write. */
  fan(seconds: number): Promise<TrafficFigures> {
    return this.#ask(`fan ${seconds}`);
  }

  /** Has the first connection send these messages. */
  send(messages: readonly Buffer[]): void {
    this.#tell(`send ${this.#file([Buffer.concat(messages)])}`);
  }

  /** Only answers to answers. */
  relay(seconds: number): Promise<RelayFigures> {
    return this.#ask(`relay ${seconds}`);
  }

  /** Cuts all connections and ends the process. */
  async stop(): Promise<void> {
    rmSync(this.#directory, { recursive: true, force: true });
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.stdin.end();
    await exited;
  }

  #file(blobs: readonly Buffer[]): string {
    const path = join(this.#directory, String(++this.#files));
    const pieces = blobs.flatMap((blob) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(blob.length);
      return [length, blob];
    });
    writeFileSync(path, Buffer.concat(pieces));
    return path;
  }

  #tell(command: string): void {
    this.#child.stdin.write(`${command}\n`);
  }

  async #ask<T>(command: string): Promise<T> {
    this.#tell(command);
    const line = await this.#lines.next();
    if (line.done === true) throw new Error(`the load generator ended at "${command}"`);
    return JSON.parse(line.value) as T;
  }
}
