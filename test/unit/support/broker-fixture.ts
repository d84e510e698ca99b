import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { IotmpServer } from '../../../src/broker/broker';
import type { RefusedLogin } from '../../../src/broker/refusals/refused-login';
import type { ServerOptions } from '../../../src/broker/broker-options';
import { createMemoryPair, type MemoryPairOptions } from '../../../src/transport/memory-transport';
import type { DeviceId } from '../../../src/types';
import { cleanUp } from '../../support/clean-up';
import { FakeClock } from './fake-clock';
import { RawDevice, type RawDeviceOptions } from './raw-device';
import { tcpWire, WebSocketWire, type RawWire, type RawWireHandler } from './raw-wire';

/** The device that most tests play. */
export const PUMP = { user: 'anna', device: 'pump', credential: 'secret' } as const;
/** Another device of the same user, to see that it is left alone. */
export const LAMP = { user: 'anna', device: 'lamp', credential: 'light' } as const;

/** Real milliseconds after which a condition that a test waits for counts as missed. */
const PATIENCE_MS = 15_000;

/** A server with its clock, its events written down, and the devices that a test connects to it. */
export class BrokerBench {
  readonly clock = new FakeClock(1_000_000);
  readonly server: IotmpServer;
  /** `connected anna/pump`, `disconnected anna/pump: IOTMP_ERR_CLOSED`, `listener tcp listening`, in order. */
  readonly log: string[] = [];
  readonly warnings: string[] = [];
  readonly refusedLogins: RefusedLogin[] = [];
  /** Lines of refused logins for the log. */
  readonly refusalLines: string[] = [];
  readonly #wires: RawWire[] = [];
  readonly #http: http.Server[] = [];

  private constructor(options: ServerOptions) {
    this.server = new IotmpServer(this.options(options));
    this.server.on('connected', (device) => this.log.push(`connected ${nameOf(device)}`));
    this.server.on('disconnected', (device, { code }) => {
      this.log.push(`disconnected ${nameOf(device)}: ${code}`);
    });
    this.server.on('listener', (kind, status) => this.log.push(`listener ${kind} ${status.kind}`));
    this.server.on('warning', (text) => this.warnings.push(text));
    this.server.on('authenticationFailed', (login) => this.refusedLogins.push(login));
    this.server.on('refusal', (line) => this.refusalLines.push(line));
  }

  /** A started server. At the end of the test it is closed, and must have left nothing behind. */
  static async start(options: ServerOptions = {}): Promise<BrokerBench> {
    const bench = new BrokerBench(options);
    cleanUp(() => bench.close());
    await bench.server.start();
    return bench;
  }

  /** Options of the tests: the fake clock, and the two devices. */
  options(options: ServerOptions = {}): ServerOptions {
    return { clock: this.clock, devices: [PUMP, LAMP], ...options };
  }

  /** The port of a listener that is open. */
  port(kind: 'tcp' | 'tls' = 'tcp'): number {
    const status = this.server.listenerStatus.get(kind);
    assert.equal(status?.kind, 'listening');
    return status.port;
  }

  /** A connection in memory; `pause` stops the device's reading, and `resume` lets it go on. */
  memory(options: MemoryPairOptions = {}): RawWire & { pause(): void; resume(): void } {
    const [near, far] = createMemoryPair({ clock: this.clock, ...options });
    this.server.accept(far);
    return this.track({
      start: (handler: RawWireHandler) =>
        near.start({
          onData: (chunk) => handler.onChunk(chunk),
          onDrain: () => undefined,
          onClose: () => {
            handler.onEnd();
            handler.onClose();
          },
        }),
      write: (bytes) => void near.send(bytes),
      end: () => near.close(),
      cut: () => near.destroy(),
      pause: () => near.pause(),
      resume: () => near.resume(),
    });
  }

  async tcp(): Promise<RawWire> {
    return this.track(await tcpWire(this.port()));
  }

  /** A WebSocket through an HTTP server that hands its upgrades to the broker. */
  async webSocket(): Promise<WebSocketWire> {
    return this.track(await WebSocketWire.connect(await this.listenHttp()));
  }

  /** Opens an HTTP server; resolves with its port. */
  async listenHttp(): Promise<number> {
    const server = http.createServer();
    this.#http.push(server);
    server.on('upgrade', (request, socket, head) => this.server.handleUpgrade(request, socket, head));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  /** A device that is let in, in memory unless a wire is given. */
  async device(options: Partial<RawDeviceOptions> = {}, wire: RawWire = this.memory()): Promise<RawDevice> {
    const device = await RawDevice.login(wire, options);
    await this.clock.settle();
    return device;
  }

  /** Moves the time on in steps until the condition holds. */
  async advanceUntil(condition: () => boolean, stepMs: number): Promise<void> {
    for (let steps = 0; !condition(); steps++) {
      assert.ok(steps < 10_000, `never came true: ${String(condition)}`);
      await this.clock.advance(stepMs);
    }
  }

  /** Waits for what comes from sockets after some turns of the event loop. */
  async until(condition: () => boolean): Promise<void> {
    const giveUpAt = Date.now() + PATIENCE_MS;
    while (!condition()) {
      assert.ok(Date.now() < giveUpAt, `never came true: ${String(condition)}`);
      await this.clock.settle();
    }
  }

  /** Has the wire cut at the end of the test. */
  track<T extends RawWire>(wire: T): T {
    this.#wires.push(wire);
    return wire;
  }

  /** Ends everything; no timer may be left. */
  async close(): Promise<void> {
    for (const wire of this.#wires) wire.cut();
    for (const server of this.#http) server.close();
    await this.server.close();
    await this.clock.settle();
    assert.equal(this.clock.pending, 0, 'timers were left behind');
    assert.equal(this.server.deviceCount, 0);
  }
}

function nameOf({ user, device }: DeviceId): string {
  return `${user}/${device}`;
}
