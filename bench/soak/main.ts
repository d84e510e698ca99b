import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DOCS } from '../harness/places';
import { useApi, type ApiCounts } from './api-program';
import { churn, type ChurnCounts } from './churn';
import { GoodDevice } from './good-device';
import { drawPanels } from './panels';
import { CHURNING, type Order, type Report } from './protocol';
import { csvOf, type Sample } from './sample';
import { writeReport } from './soak-report';
import { trendsOf } from './trend';

// npm run soak [-- minutes] [--docs]    60 minutes unless given; with --docs the results go to docs, else to dist/soak

const USUAL_MINUTES = 60;
const SAMPLE_MS = 10_000;
/** Each how many samples the server collects its garbage first. */
const COLLECTION = 6;
const RESULTS = join(DOCS, '..', 'dist', 'soak');

async function main(): Promise<boolean> {
  const minutes = Number(process.argv.slice(2).find((word) => /^\d/.test(word)) ?? USUAL_MINUTES);
  const results = process.argv.includes('--docs') ? DOCS : RESULTS;
  const folder = mkdtempSync(join(tmpdir(), 'iotmp-soak-'));
  const profiles = join(RESULTS, 'profiles');
  rmSync(profiles, { recursive: true, force: true });
  for (const made of [results, profiles]) mkdirSync(made, { recursive: true });
  const child = fork(join(__dirname, `server-process${extname(__filename)}`), [folder, profiles]);
  try {
    const server = new ServerProcess(child);
    const { tcpPort, httpPort, token } = await server.next('ready');
    const churned: ChurnCounts = { stays: 0, takeOvers: 0, doings: 0, failures: new Map() };
    const asked: ApiCounts = { requests: 0, sockets: 0, refusals: new Map() };
    const end = new AbortController();
    const good = await GoodDevice.start(tcpPort);
    const running = [
      good.run(end.signal),
      useApi(httpPort, token, asked, end.signal),
      ...CHURNING.map((device) => churn(device, tcpPort, churned, end.signal)),
    ];
    const load = Promise.all(running);
    const samples = await Promise.race([takeSamples(minutes, server, good), endless(load)]);
    end.abort();
    await load;
    const trends = trendsOf(samples);
    writeFileSync(join(results, 'soak.csv'), csvOf(samples));
    writeFileSync(join(results, 'soak.svg'), drawPanels(samples));
    const stalls = readdirSync(profiles).map((file) => join(profiles, file));
    writeReport(join(results, 'soak.md'), { samples, trends, churned, asked, stalls });
    server.order({ kind: 'end' });
    await once(child, 'exit');
    const faults = samples.at(-1)?.faults ?? 0;
    for (const { name, growth, allowed, unit, met } of trends) {
      print(
        `${met ? 'ok' : 'FAILED'}: ${name} grew by ${growth.toFixed(1)} ${unit}, allowed ${allowed.toFixed(1)}`,
      );
    }
    if (faults > 0) print(`FAILED: ${faults} callbacks threw`);
    if (good.failed > 0) print(`FAILED: ${good.failed} calls of the good device failed`);
    return trends.every(({ met }) => met) && faults === 0 && good.failed === 0;
  } finally {
    child.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function takeSamples(minutes: number, server: ServerProcess, good: GoodDevice): Promise<Sample[]> {
  const samples: Sample[] = [];
  const began = performance.now();
  for (let count = 1; performance.now() - began < minutes * 60_000; count++) {
    await pause(SAMPLE_MS);
    const latencies = good.take();
    server.order({ kind: 'sample', collect: count % COLLECTION === 0 });
    const { sample } = await server.next('sample');
    const line: Sample = {
      ...sample,
      ...latencies,
      failed: good.failed,
      minute: (performance.now() - began) / 60_000,
    };
    samples.push(line);
    print(csvOf([line]).split('\n')[1]!);
  }
  return samples;
}

/** Rejects as the promise does, and never resolves. */
async function endless(load: Promise<unknown>): Promise<never> {
  await load;
  throw new Error('the load has ended too early');
}

/** The process of the server, as the parent talks to it. */
class ServerProcess {
  readonly #child: ChildProcess;

  readonly #ended: Promise<never>;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#ended = once(child, 'exit').then(() => {
      throw new Error('the process of the server has ended');
    });
    // In the end it does, and nobody waits for a report any more.
    this.#ended.catch(() => undefined);
  }

  order(order: Order): void {
    this.#child.send(order);
  }

  /** The next report of a kind. @throws Error when the process ends first */
  async next<Kind extends Report['kind']>(kind: Kind): Promise<Extract<Report, { kind: Kind }>> {
    const [report] = (await Promise.race([once(this.#child, 'message'), this.#ended])) as [Report];
    if (report.kind !== kind) throw new Error(`the server told ${report.kind} in place of ${kind}`);
    return report as Extract<Report, { kind: Kind }>;
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

main().then(
  (passed) => {
    process.exitCode = passed ? 0 : 1;
  },
  (error: unknown) => {
    process.exitCode = 1;
    throw error;
  },
);
