import assert from 'node:assert/strict';
import { IotmpServer } from '../../../src/broker/broker';
import { MessageType } from '../../../src/codec/constants';
import { decodeMessage } from '../../../src/codec/reading/message-decoder';
import { encodeMessage } from '../../../src/codec/writing/message-encoder';
import { IotmpError } from '../../../src/errors';
import { FrameDecoder } from '../../../src/framing/frame-decoder';
import { ServerServices } from '../../../src/services/server-services';
import { openStore } from '../../../src/store/open-store';
import type { Store } from '../../../src/store/store';
import { createMemoryPair } from '../../../src/transport/memory-transport';
import type { Transport } from '../../../src/transport/transport';
import { FakeClock } from '../../unit/support/fake-clock';
import { vectors } from '../../unit/support/vectors';
import { BadInput, type FuzzTarget } from '../target';
import { endsWithin } from './expected-answers';

const { OK, RUN, DESCRIBE, START_STREAM, STOP_STREAM, CONNECT, KEEP_ALIVE } = MessageType;
const REQUESTS: readonly number[] = [RUN, DESCRIBE, START_STREAM, STOP_STREAM];
/** The user and the devices that captured messages name, so that calls between devices find one. */
const USER = 'user1';
const DEVICES = ['sensor1', 'other_device', 'lamp', 'pump', 'd5', 'd6', 'd7', 'd8'];
const CREDENTIAL = 'secret123';
const GOOD = { user: USER, device: 'good' };
/** Inputs of one server. What devices may leave behind in it is bounded, but not small. */
const INPUTS_OF_A_SERVER = 2_000;
/** Real time after which an echo counts as missing, in ms. */
const PATIENCE_MS = 10_000;
const MAX_BODY = 262_144;
const ALIVE = Buffer.of(KEEP_ALIVE, 0);

/** A server with its services and its store, whose devices say what they like once they are in. */
export class Server implements FuzzTarget {
  readonly name = 'server';
  readonly weight = 2;
  readonly framed = true;
  readonly seeds = vectors
    .filter(({ direction }) => direction === 'device->server')
    .map(({ bytes }) => bytes);
  #inputs: Buffer[] = [];
  #bench: Bench | undefined;

  get waiting(): number {
    return this.#inputs.length;
  }

  run(input: Buffer): string {
    this.#inputs.push(Buffer.from(input));
    return 'sent';
  }

  /** Each input in its turn: it answers for what it breaks. */
  async settle(): Promise<void> {
    const inputs = this.#inputs;
    this.#inputs = [];
    for (let at = 0; at < inputs.length; at += DEVICES.length) {
      const some = inputs.slice(at, at + DEVICES.length);
      try {
        await this.#serve(some);
      } catch (error) {
        throw error instanceof BadInput ? error : new BadInput(this.name, Buffer.concat(some), error);
      }
    }
  }

  async close(): Promise<void> {
    await this.#bench?.close();
    this.#bench = undefined;
  }

  async #serve(inputs: readonly Buffer[]): Promise<void> {
    const bench = (this.#bench ??= await Bench.start());
    await bench.serve(inputs, (input, error) => new BadInput(this.name, input, error));
    if (bench.served >= INPUTS_OF_A_SERVER) await this.close();
  }
}

class Bench {
  served = 0;
  readonly #clock = new FakeClock(1_000_000);
  readonly #server: IotmpServer;
  readonly #services: ServerServices;
  readonly #store: Store;
  readonly #devices = new Map<string, Device>();

  private constructor(store: Store) {
    const clock = this.#clock;
    const devices = [...DEVICES, GOOD.device].map((device) => ({
      user: USER,
      device,
      credential: CREDENTIAL,
    }));
    this.#server = new IotmpServer({ clock, devices });
    this.#store = store;
    const own = { clock };
    this.#services = new ServerServices(this.#server, {
      store,
      locks: own,
      buckets: own,
      endpoints: own,
      topics: own,
    });
    this.#services.endpoints.host('alert_email', ({ payload }) => payload);
    this.#server.offer('echo/:n', { kind: 'inout', run: ({ payload }) => payload });
  }

  static async start(): Promise<Bench> {
    const bench = new Bench(await openStore({ memory: true }));
    await bench.#server.start();
    return bench;
  }

  /** Has a device for each input send it. @throws what `blame` gives for an input after which the device hangs */
  async serve(inputs: readonly Buffer[], blame: (input: Buffer, error: unknown) => Error): Promise<void> {
    this.served += inputs.length;
    await this.#device(GOOD.device);
    const devices = await Promise.all(inputs.map((_, index) => this.#device(DEVICES[index]!)));
    for (const [index, device] of devices.entries()) {
      device.echoed = false;
      device.send(inputs[index]!);
      device.send(ALIVE);
    }
    const { payload } = await this.#server.call(GOOD, 'level', { payload: 1 });
    assert.equal(payload, 7);
    await this.#until(() =>
      devices.every(({ ended, echoed }, at) => ended || echoed || endsWithin(inputs[at]!)),
    );
    for (const [index, device] of devices.entries()) {
      const input = inputs[index]!;
      if (endsWithin(input)) device.cut();
      else if (!device.ended && !device.echoed) {
        throw blame(input, new Error('the device is neither served nor closed'));
      }
    }
    await this.#clock.settle();
  }

  async close(): Promise<void> {
    for (const device of this.#devices.values()) device.cut();
    this.#services.close();
    await this.#services.settled();
    await this.#store.close();
    await this.#server.close();
    await this.#clock.settle();
    assert.equal(this.#server.deviceCount, 0);
    assert.equal(this.#clock.pending, 0, 'timers are left behind');
  }

  /** Waits for a condition; what waits for the store takes some turns of the event loop. */
  async #until(condition: () => boolean): Promise<void> {
    const giveUpAt = Date.now() + PATIENCE_MS;
    do await this.#clock.settle();
    while (!condition() && Date.now() < giveUpAt);
  }

  async #device(name: string): Promise<Device> {
    const known = this.#devices.get(name);
    if (known?.ended === false) return known;
    const [near, far] = createMemoryPair({ clock: this.#clock });
    this.#server.accept(far);
    const device = new Device(near);
    this.#devices.set(name, device);
    device.send(encodeMessage({ type: CONNECT, streamId: 17767, payload: [USER, name, CREDENTIAL] }));
    await this.#clock.settle();
    // A device that another one has just closed is no fault.
    assert.ok(device.ended || device.answered, 'the login is not answered');
    return device;
  }
}

/** A device that answers each request, and writes down nothing. */
class Device {
  ended = false;
  answered = false;
  echoed = false;
  readonly #transport: Transport;
  readonly #frames = new FrameDecoder(MAX_BODY, {
    handleFrame: (type, bytes, start, end) => this.#handle(type, bytes, start, end),
  });

  constructor(transport: Transport) {
    this.#transport = transport;
    transport.start({
      onData: (chunk) => this.#frames.push(chunk),
      onDrain: () => undefined,
      onClose: () => {
        this.ended = true;
      },
    });
  }

  send(bytes: Buffer): void {
    this.#transport.send(bytes);
  }

  #handle(type: number, bytes: Buffer, start: number, end: number): void {
    this.answered = true;
    if (type === KEEP_ALIVE) this.echoed = true;
    if (!REQUESTS.includes(type)) return;
    const { streamId } = decodeMessage(type, bytes, start, end);
    const payload = type === DESCRIBE ? { level: { fn: 3 } } : 7;
    this.send(encodeMessage({ type: OK, streamId, payload }));
  }

  cut(): void {
    this.ended = true;
    this.#transport.destroy(new IotmpError('IOTMP_ERR_CLOSED', 'cut'));
  }
}
