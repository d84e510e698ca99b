import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { IotmpServer } from '../../src/broker/broker';
import { ServerServices } from '../../src/services/server-services';
import { RawDevice } from '../unit/support/raw-device';
import { Type } from '../unit/support/raw-message';
import { tcpWire, WebSocketWire, type RawWire } from '../unit/support/raw-wire';
import { Corpus } from './corpus';
import { Mutator } from './mutator';
import { Random } from './random';
import { BadInput, type FuzzTarget } from './target';
import { endsWithin } from './targets/expected-answers';
import { Server } from './targets/server';
import { Sessions } from './targets/sessions';

const USER = 'user1';
const CREDENTIAL = 'secret123';
const ALIVE = Buffer.of(Type.KEEP_ALIVE, 0);
/** Connections side by side, each with a device of its own. */
const WORKERS = 8;
/** One input of so many is sent before the login. */
const BEFORE_LOGIN = 8;
/** Time after which a connection counts as hanging, in ms: a login that is held back waits for five seconds. */
const PATIENCE_MS = 15_000;

/** What became of it. */
export interface SocketResult {
  readonly inputs: number;
  /** Connections that the server closed. */
  readonly closed: number;
}

/**
 * Sends mutated inputs over TCP and WebSockets, in pieces, before and after the login, for a time in ms.
 * @throws BadInput for an input after which a connection is neither served nor closed; AssertionError when another
 *   device is not served in the end
 */
export async function fuzzSockets(seed: number, timeMs: number): Promise<SocketResult> {
  const bench = await SocketBench.start();
  try {
    const result = { inputs: 0, closed: 0 };
    const endAt = performance.now() + timeMs;
    const workers = Array.from({ length: WORKERS }, async (_, worker) => {
      const shots = new Shots(seed + worker);
      while (performance.now() < endAt) {
        result.inputs++;
        if (await bench.shoot(worker, shots)) result.closed++;
      }
    });
    await Promise.all(workers);
    await bench.checkGood();
    return result;
  } finally {
    await bench.close();
  }
}

/** Inputs of one worker, and the chances that it takes. */
class Shots {
  readonly random: Random;
  readonly #mutator: Mutator;
  readonly #corpus = Corpus.load();
  readonly #inside: FuzzTarget = new Server();
  readonly #outside: FuzzTarget = new Sessions('login');

  constructor(seed: number) {
    this.random = new Random(seed);
    this.#mutator = new Mutator(this.random);
  }

  next(isLoggedIn: boolean): Buffer {
    const inputs = this.#corpus.of(isLoggedIn ? this.#inside : this.#outside);
    this.#mutator.mutate(this.random.pick(inputs), this.random.pick(inputs));
    if (this.random.below(4) > 0) this.#mutator.frame();
    if (this.random.below(3) === 0) this.#mutator.append(this.random.pick(inputs));
    return Buffer.from(this.#mutator.result);
  }
}

class SocketBench {
  readonly #server: IotmpServer;
  readonly #services: ServerServices;
  readonly #http: http.Server;
  #tcpPort = 0;
  #httpPort = 0;

  private constructor() {
    const names = ['good', ...Array.from({ length: WORKERS }, (_, worker) => nameOf(worker))];
    const devices = names.map((device) => ({ user: USER, device, credential: CREDENTIAL }));
    this.#server = new IotmpServer({ host: '127.0.0.1', tcpPort: 0, devices });
    this.#services = new ServerServices(this.#server);
    this.#http = http.createServer();
    this.#http.on('upgrade', (request, socket, head) => this.#server.handleUpgrade(request, socket, head));
  }

  static async start(): Promise<SocketBench> {
    const bench = new SocketBench();
    await bench.#server.start();
    const status = bench.#server.listenerStatus.get('tcp');
    assert.equal(status?.kind, 'listening');
    bench.#tcpPort = status.port;
    bench.#http.listen(0, '127.0.0.1');
    await once(bench.#http, 'listening');
    bench.#httpPort = (bench.#http.address() as AddressInfo).port;
    return bench;
  }

  /** Sends one input over a connection of its own; resolves with whether the server has closed it. */
  async shoot(worker: number, shots: Shots): Promise<boolean> {
    const { random } = shots;
    const isWeb = random.below(4) === 0;
    const isLoggedIn = random.below(BEFORE_LOGIN) > 0;
    const wire = isWeb ? await WebSocketWire.connect(this.#httpPort) : await tcpWire(this.#tcpPort);
    const device = newDevice(wire, nameOf(worker));
    try {
      if (isLoggedIn) await logIn(device);
      const input = shots.next(isLoggedIn);
      const middle = random.below(input.length + 1);
      if (isWeb && random.below(4) === 0) sendFrame(wire, random, input);
      else for (const part of [input.subarray(0, middle), input.subarray(middle)]) wire.write(part);
      wire.write(ALIVE);
      if (isLoggedIn && !endsWithin(input)) await outcome(device, input);
      return device.ended;
    } finally {
      wire.cut();
      await device.closed;
    }
  }

  /** Another device is let in, and asked, as ever. */
  async checkGood(): Promise<void> {
    const good = newDevice(await tcpWire(this.#tcpPort), 'good');
    good.resources.set('level', { fn: 3, run: () => 7 });
    await logIn(good);
    const { payload } = await this.#server.call({ user: USER, device: 'good' }, 'level');
    assert.equal(payload, 7);
    good.wire.cut();
    await good.closed;
  }

  async close(): Promise<void> {
    this.#services.close();
    await this.#server.close();
    this.#http.closeAllConnections();
    this.#http.close();
  }
}

function nameOf(worker: number): string {
  return `device${worker}`;
}

function newDevice(wire: RawWire, device: string): RawDevice {
  return new RawDevice(wire, { user: USER, device, credential: CREDENTIAL });
}

async function logIn(device: RawDevice): Promise<void> {
  device.connect();
  assert.equal((await device.next()).type, Type.OK, 'the device is not let in');
}

/** A frame as it may not be: any opcode, any size of piece, in the middle of others. */
function sendFrame(wire: RawWire, random: Random, input: Buffer): void {
  if (wire instanceof WebSocketWire) wire.writeFrame(random.below(16), input, random.below(2) === 0);
}

/** Resolves when the connection is closed or has been served. */
async function outcome(device: RawDevice, input: Buffer): Promise<void> {
  const giveUp = new AbortController();
  const late = pause(PATIENCE_MS, 'late', { signal: giveUp.signal }).catch(() => 'served');
  const served = device.next(Type.KEEP_ALIVE).catch(() => 'late');
  const came = await Promise.race([late, served, device.serverEnded]);
  giveUp.abort();
  if (came === 'late') throw new BadInput('sockets', input, 'the connection is neither served nor closed');
}
