import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { listen } from './listen';
import type { Mark } from './messages';
import { pause } from './pause';
import { Core, pinned } from './pinning';

/** Where Debian puts it is often not on the PATH. */
const PLACES = ['mosquitto', '/usr/sbin/mosquitto'] as const;
const START_ATTEMPTS = 100;
const PAGE_BYTES = 4096;

/** Runs a command, tells its id and ends it when the benchmark ends or closes the input, whichever way it ends. */
const WATCHED = '"$@" & echo $!; read -r _; kill $!; wait';

/** What a suite says that goes on without Mosquitto. */
export const NO_MOSQUITTO = 'Mosquitto is not installed: it was left out.';

/** The program of Mosquitto, if it is installed. */
export const mosquittoProgram = PLACES.find((place) => spawnSync(place, ['-h']).error === undefined);

/** A Mosquitto on the core of the contenders. It lets everybody in, and drops no message for a slow client. */
export class MosquittoProcess {
  readonly port: number;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #directory = mkdtempSync(join(tmpdir(), 'iotmp-mosquitto-'));
  #pid = 0;

  private constructor(program: string, port: number) {
    this.port = port;
    const config = join(this.#directory, 'mosquitto.conf');
    const lines = [
      `listener ${port} 127.0.0.1`,
      'allow_anonymous true',
      'set_tcp_nodelay true',
      'max_queued_messages 0',
      'persistence false',
      'sys_interval 0',
      'log_dest none',
    ];
    writeFileSync(config, lines.join('\n'));
    const command = pinned(Core.contender, [program, '-c', config]);
    this.#child = spawn('sh', ['-c', WATCHED, 'sh', ...command], { stdio: ['pipe', 'pipe', 'inherit'] });
  }

  static async launch(): Promise<MosquittoProcess> {
    if (mosquittoProgram === undefined) throw new Error(NO_MOSQUITTO);
    const mosquitto = new MosquittoProcess(mosquittoProgram, await freePort());
    const [id] = (await once(mosquitto.#child.stdout, 'data')) as [Buffer];
    mosquitto.#pid = Number(id.toString());
    for (let attempt = 0; attempt < START_ATTEMPTS; attempt++) {
      if (await answers(mosquitto.port)) return mosquitto;
      await pause(0.05);
    }
    await mosquitto.stop();
    throw new Error('Mosquitto does not listen');
  }

  /** It tells nothing of its messages nor of its event loop. */
  mark(): Promise<Mark> {
    const numbers = (file: string): number[] =>
      readFileSync(`/proc/${this.#pid}/${file}`, 'latin1').split(' ').map(Number);
    const [cpuNanoseconds = NaN] = numbers('schedstat');
    const [, pages = NaN] = numbers('statm');
    return Promise.resolve({
      at: performance.now(),
      count: 0,
      cpu: cpuNanoseconds / 1000,
      rss: pages * PAGE_BYTES,
      loopDelay: NaN,
      longestDelay: NaN,
    });
  }

  async stop(): Promise<void> {
    rmSync(this.#directory, { recursive: true, force: true });
    const exited = once(this.#child, 'exit');
    this.#child.stdin.end();
    await exited;
  }
}

/** One that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  server.close();
  await once(server, 'close');
  return port;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
