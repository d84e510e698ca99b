/**
 * Devices of one address that all come back at once when their server starts again. Prints how long it takes until all are let
 * in, and how many that were let in are cut. Not a part of the tests, as it needs a quiet machine:
 *
 *     node --require tsx/cjs test/long/reconnect-storm.ts 10000
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { IotmpServer } from '../../src/broker/broker';
import { message, psonField, Type, varintField } from '../unit/support/raw-message';

const USER = 'site';
const CREDENTIAL = 'secret';
/** Shortest pause of devices before they try again, in ms. */
const RETRY_MS = 5_000;
/** Time in which all have to be let in, in ms. */
const GOAL_MS = 30_000;
/** Time for which those who are in have to stay, in ms. */
const STAY_MS = 5_000;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** A device that comes back when it is cut. */
class Device {
  isIn = false;
  #socket: net.Socket | undefined;
  readonly #connect: Buffer;
  readonly #port: number;
  readonly #onCut: () => void;

  constructor(index: number, port: number, onCut: () => void) {
    const payload = [USER, `d${index}`, CREDENTIAL];
    this.#connect = message(Type.CONNECT, varintField(1, 1), psonField(3, payload));
    this.#port = port;
    this.#onCut = onCut;
  }

  come(): void {
    const socket = net.connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    this.#socket = socket;
    socket.on('error', () => undefined);
    socket.on('connect', () => void socket.write(this.#connect));
    socket.on('data', (chunk: Buffer) => {
      if (chunk[0] === Type.OK) this.isIn = true;
    });
    socket.on('close', () => {
      if (this.isIn) this.#onCut();
      this.isIn = false;
      if (this.#socket === socket) setTimeout(() => this.come(), RETRY_MS);
    });
  }

  /** Forgets the connection without a word, as when the server has gone. */
  lose(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
  }
}

async function serve(count: number, port: number): Promise<void> {
  const devices = Array.from({ length: count }, (_, i) => ({
    user: USER,
    device: `d${i}`,
    credential: CREDENTIAL,
  }));
  const server = new IotmpServer({ host: '127.0.0.1', tcpPort: port, devices, maxConnections: count });
  server.on('warning', (text) => say(`server: ${text}`));
  await server.start();
  const status = server.listenerStatus.get('tcp');
  process.send?.({ port: status?.kind === 'listening' ? status.port : 0 });
  process.on('message', () => {
    process.send?.({
      devices: server.deviceCount,
      refused: Object.fromEntries(server.refusedLogins.counts),
    });
  });
}

async function startServer(count: number, port: number): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(__filename, ['serve', String(count), String(port)], { execArgv: process.execArgv });
  const [ready] = (await once(child, 'message')) as [{ port: number }];
  return { child, port: ready.port };
}

async function storm(devices: readonly Device[]): Promise<number> {
  const start = performance.now();
  for (const device of devices) device.come();
  while (devices.some(({ isIn }) => !isIn)) {
    await pause(50);
    if (performance.now() - start > 4 * GOAL_MS) break;
  }
  return performance.now() - start;
}

async function main(count: number): Promise<void> {
  const first = await startServer(count, 0);
  let cut = 0;
  const devices = Array.from({ length: count }, (_, i) => new Device(i, first.port, () => cut++));
  say(`${count} devices at first: all in after ${Math.round(await storm(devices))} ms`);
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');
  for (const device of devices) device.lose();
  await pause(500);
  cut = 0;
  const { child } = await startServer(count, first.port);
  const tookMs = await storm(devices);
  await pause(STAY_MS);
  child.send('how many');
  const [state] = (await once(child, 'message')) as [unknown];
  say(`after the restart: all in after ${Math.round(tookMs)} ms; of those who were in ${cut} were cut`);
  say(`the server: ${JSON.stringify(state)}`);
  child.kill('SIGKILL');
  process.exit(tookMs <= GOAL_MS && cut === 0 ? 0 : 1);
}

const [, , first = '10000', count = '0', port = '0'] = process.argv;
if (first === 'serve') void serve(Number(count), Number(port));
else void main(Number(first));
