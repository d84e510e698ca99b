import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before } from 'mocha';
import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { IotmpServer } from '../../../../src/broker/broker';
import type { ServerOptions } from '../../../../src/broker/broker-options';
import { Gateway } from '../../../../src/gateway/gateway';
import { ServerServices } from '../../../../src/services/server-services';
import { openStore } from '../../../../src/store/open-store';
import { TEST_ONLY_CERTIFICATE, TEST_ONLY_KEY } from '../../support/certificate';
import { RawDevice } from '../../support/raw-device';
import { tcpWire, WebSocketWire } from '../../support/raw-wire';
import { RawSocket } from './raw-socket';

/** A device that has to be served whatever the others do, and two that attack. */
export const GOOD = { user: 'anna', device: 'lamp', credential: 'light' } as const;
export const BAD = { user: 'anna', device: 'pump', credential: 'secret' } as const;

/** Time to log in, and for a TLS handshake, in ms: short, so that tests see its end. */
export const LOGIN_MS = 400;
/** Time after which what an attack left behind has to be gone, in ms. */
const PATIENCE_MS = 8_000;
/** Time of the quickest of some calls of the good device, in ms. The others may have met other specs. */
const NORMAL_MS = 50;
const CALLS = 5;
const SOCKETS: readonly string[] = ['TCPSocketWrap', 'TLSWrap', 'TCPConnectWrap', 'ShutdownWrap'];
/** Memory that all attacks of a suite may leave behind, in bytes: compiled code, and what the server remembers for a while. */
const MEMORY = 16 * 2 ** 20;
/** Timers that an attack may leave behind, which forget what is remembered. */
const TIMERS = 6;

const collect = ((): (() => void) => {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
})();

/** What is in use: sockets of all kinds, timers, and bytes of memory. */
interface Use {
  readonly sockets: number;
  readonly timers: number;
  readonly bytes: number;
}

/** A server with all that strangers can reach over real sockets, on the clock of the machine, and the good device. */
export class Arena {
  readonly server: IotmpServer;
  readonly services: ServerServices;
  readonly gateway: Gateway;
  tcpPort = 0;
  tlsPort = 0;
  /** Of the API, and of devices over WebSocket at `/iotmp`. */
  httpPort = 0;
  token = '';
  readonly #store = openStore({ memory: true });
  readonly #http: http.Server;
  readonly #faults: string[] = [];
  readonly #sockets: RawSocket[] = [];
  readonly #devices: RawDevice[] = [];
  #good: RawDevice | undefined;
  #before: Use = { sockets: 0, timers: 0, bytes: 0 };

  private constructor(options: ServerOptions) {
    this.server = new IotmpServer({
      host: '127.0.0.1',
      tcpPort: 0,
      tlsPort: 0,
      tls: { key: TEST_ONLY_KEY, cert: TEST_ONLY_CERTIFICATE },
      devices: [GOOD, BAD],
      connectTimeoutMs: LOGIN_MS,
      maxMessageSize: 65_536,
      ...options,
    });
    const store = this.#store;
    this.services = new ServerServices(this.server, { store });
    this.gateway = new Gateway(this.server, this.services, {
      secret: 'a secret of the arena',
      store,
      users: [{ user: 'anna' }],
    });
    this.#http = http.createServer((request, response) => {
      if (!this.gateway.handle(request, response)) response.writeHead(404).end();
    });
    this.#http.on('upgrade', (request, socket, head) => {
      if (request.url === '/iotmp') this.server.handleUpgrade(request, socket, head);
      else if (!this.gateway.handleUpgrade(request, socket, head)) socket.destroy();
    });
  }

  /** A server for the tests of a suite; it is there from their beginning to their end. */
  static ofSuite(options: ServerOptions = {}): Arena {
    const arena = new Arena(options);
    before(() => arena.#open());
    after(() => arena.#close());
    return arena;
  }

  /**
   * Lets an attack take place, and checks what is left: the good device is served in normal time and was never disturbed,
   * sockets, timers and memory are back, and no callback threw. What throws past all callbacks fails the test as well.
   */
  async survives(attack: () => Promise<void>): Promise<void> {
    try {
      await attack();
    } finally {
      for (const socket of this.#sockets.splice(0)) socket.cut();
      await this.#dismiss();
    }
    await this.#checkGood();
    await this.#checkUse();
    assert.deepEqual(this.#faults, []);
  }

  /** A connection that sends whatever an attack wants. */
  async socket(port = this.tcpPort): Promise<RawSocket> {
    const socket = await RawSocket.connect(port);
    this.#sockets.push(socket);
    return socket;
  }

  /** A device that is not logged in yet. */
  async stranger(): Promise<RawDevice> {
    return this.#track(new RawDevice(await tcpWire(this.tcpPort), BAD));
  }

  /** The bad device, logged in. Another one of it is gone before: the server slows take-overs down. */
  async device(): Promise<RawDevice> {
    await this.#dismiss();
    return this.#track(await RawDevice.login(await tcpWire(this.tcpPort), BAD));
  }

  /** The same over WebSocket. */
  async webDevice(): Promise<{ device: RawDevice; wire: WebSocketWire }> {
    await this.#dismiss();
    const wire = await WebSocketWire.connect(this.httpPort);
    return { device: this.#track(await RawDevice.login(wire, BAD)), wire };
  }

  /** Waits until a condition holds. */
  async until(condition: () => boolean, what = String(condition)): Promise<void> {
    await until(condition, what);
  }

  async #dismiss(): Promise<void> {
    for (const device of this.#devices.splice(0)) device.wire.cut();
    await until(() => this.server.deviceCount <= 1, 'the bad device is gone');
  }

  #track(device: RawDevice): RawDevice {
    this.#devices.push(device);
    return device;
  }

  async #open(): Promise<void> {
    process.on('warning', this.#onWarning);
    await this.server.start();
    await this.gateway.start();
    this.#http.listen(0, '127.0.0.1');
    await once(this.#http, 'listening');
    this.httpPort = (this.#http.address() as AddressInfo).port;
    this.tcpPort = this.#portOf('tcp');
    this.tlsPort = this.#portOf('tls');
    this.token = await this.gateway.createToken('anna', 'all', { allow: { '*': { '*': '*' } } });
    this.#good = await RawDevice.login(await tcpWire(this.tcpPort), GOOD);
    this.#good.resources.set('level', { fn: 3, run: () => 7 });
    await this.#checkGood();
    collect();
    this.#before = use();
  }

  #portOf(kind: 'tcp' | 'tls'): number {
    const status = this.server.listenerStatus.get(kind);
    assert.equal(status?.kind, 'listening');
    return status.port;
  }

  async #checkGood(): Promise<void> {
    let quickest = Infinity;
    for (let call = 0; call < CALLS; call++) {
      const began = performance.now();
      assert.equal((await this.server.call(GOOD, 'level')).payload, 7);
      quickest = Math.min(quickest, performance.now() - began);
    }
    assert.ok(quickest < NORMAL_MS, `the good device waits for ${quickest.toFixed(0)} ms`);
    assert.equal(this.#good?.ended, false, 'the good device is disconnected');
  }

  readonly #onWarning = (warning: Error): void => {
    if (warning.name.startsWith('Iotmp')) this.#faults.push(warning.message);
  };

  async #checkUse(): Promise<void> {
    let now = use();
    await until(() => {
      now = use();
      return isBack(now, this.#before) && this.server.deviceCount === 1;
    }, 'in use is no more than before').catch(() => undefined);
    assert.ok(isBack(now, this.#before), `in use before: ${show(this.#before)}, after: ${show(now)}`);
    assert.equal(this.server.deviceCount, 1);
    // Memory outside of the heap is given back some time after the collection.
    await until(() => {
      collect();
      now = use();
      return now.bytes <= this.#before.bytes + MEMORY;
    }, 'memory is back').catch(() => undefined);
    assert.ok(
      now.bytes <= this.#before.bytes + MEMORY,
      `${this.#before.bytes} bytes before, ${now.bytes} after`,
    );
  }

  async #close(): Promise<void> {
    this.#good?.wire.cut();
    process.off('warning', this.#onWarning);
    this.#http.closeAllConnections();
    this.#http.close();
    await this.gateway.close();
    this.services.close();
    await this.services.settled();
    await this.server.close();
    await (await this.#store).close();
  }
}

function use(): Use {
  const kinds = process.getActiveResourcesInfo();
  const { heapUsed, external } = process.memoryUsage();
  return {
    sockets: kinds.filter((kind) => SOCKETS.includes(kind)).length,
    timers: kinds.filter((kind) => kind === 'Timeout').length,
    bytes: heapUsed + external,
  };
}

function isBack(now: Use, before: Use): boolean {
  return now.sockets <= before.sockets && now.timers <= before.timers + TIMERS;
}

function show({ sockets, timers }: Use): string {
  return `${sockets} sockets, ${timers} timers`;
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  while (!condition()) {
    assert.ok(performance.now() < giveUpAt, `never came true: ${what}`);
    await pause(20);
  }
}
