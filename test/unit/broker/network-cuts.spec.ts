import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'mocha';
import { IotmpClient } from '../../../src/client/client';
import { cleanUp } from '../../support/clean-up';
import { BrokerBench, PUMP } from '../support/broker-fixture';
import { CutProxy, type Loss } from '../support/cut-proxy';
import { RawDevice } from '../support/raw-device';
import { Type } from '../support/raw-message';
import { tcpWire } from '../support/raw-wire';

/** Keep-alive of devices and clients, in ms; a peer counts as gone after one and a half of it. */
const KEEP_ALIVE_MS = 60_000;
const SILENCE_MS = 1.5 * KEEP_ALIVE_MS;
const STEP_MS = 1000;

/** A server behind a network that can be cut. */
class CutScene {
  readonly bench: BrokerBench;
  readonly proxy: CutProxy;
  /** What the server was told by calls of `note`, in order. */
  readonly noted: unknown[] = [];
  /** States of the server's stream on `level`, and its samples. */
  readonly states: string[] = [];
  readonly samples: unknown[] = [];

  constructor(bench: BrokerBench, proxy: CutProxy) {
    this.bench = bench;
    this.proxy = proxy;
    bench.server.offer('note', { kind: 'inout', run: ({ payload }) => this.noted.push(payload) });
    bench.server.subscribe(PUMP, 'level', {
      intervalMs: 3_600_000,
      onSample: (sample) => this.samples.push(sample),
      onState: ({ kind }) => this.states.push(kind),
    });
  }

  static async start(): Promise<CutScene> {
    const bench = await BrokerBench.start({ host: '127.0.0.1', tcpPort: 0 });
    return new CutScene(bench, await CutProxy.listen(bench.port()));
  }

  /** Lets everything through that is under way: each hop takes a turn of the event loop. */
  async arrive(): Promise<void> {
    for (let hops = 0; hops < 10; hops++) await this.bench.clock.settle();
  }

  /** Moves the time on in steps, so that what is sent meanwhile arrives before the next step. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= STEP_MS) {
      await this.bench.clock.advance(Math.min(left, STEP_MS));
      await this.arrive();
    }
  }

  async device(): Promise<RawDevice> {
    const device = new RawDevice(this.bench.track(await tcpWire(this.proxy.port)));
    device.resources.set('level', { fn: 3, run: () => 5 });
    device.connect();
    await device.next(Type.OK);
    await this.arrive();
    return device;
  }

  get connected(): boolean {
    return this.bench.server.device(PUMP) !== undefined;
  }
}

/** How a promise ended: the value, or the code of the error. */
function outcome(promise: Promise<unknown>): { value: unknown } {
  const result: { value: unknown } = { value: 'pending' };
  promise.then(
    () => (result.value = 'done'),
    (error: unknown) => (result.value = (error as { code?: unknown }).code),
  );
  return result;
}

describe('A device whose network is cut without a word', () => {
  let scene: CutScene;
  let device: RawDevice;

  beforeEach(async () => {
    scene = await CutScene.start();
    device = await scene.device();
    // The first call asks for the description, too.
    await scene.bench.server.call(PUMP, 'level');
  });

  for (const loss of ['toServer', 'both'] as const) {
    it(`is taken for gone after one and a half keep-alives (${loss}); a call ends at its own time`, async () => {
      scene.proxy.cut(loss);
      const call = outcome(scene.bench.server.call(PUMP, 'level'));
      const patient = outcome(scene.bench.server.call(PUMP, 'level', { timeoutMs: 3_600_000 }));
      await scene.pass(9000);
      assert.equal(call.value, 'pending');
      await scene.pass(1000);
      assert.equal(call.value, 'IOTMP_ERR_TIMEOUT');
      await scene.pass(SILENCE_MS - 10_000 - STEP_MS);
      assert.deepEqual([scene.connected, patient.value], [true, 'pending']);
      await scene.pass(STEP_MS);
      assert.deepEqual([scene.connected, patient.value], [false, 'IOTMP_ERR_TIMEOUT']);
      assert.deepEqual(scene.bench.log.slice(-1), ['disconnected anna/pump: IOTMP_ERR_TIMEOUT']);
      assert.equal(scene.states.at(-1), 'offline');
      await assert.rejects(scene.bench.server.call(PUMP, 'level'), { code: 'IOTMP_ERR_OFFLINE' });
    });
  }

  it('stays for as long as its keep-alives arrive, and its calls end at their time', async () => {
    scene.proxy.cut('toDevice');
    for (let minutes = 0; minutes < 5; minutes++) {
      const call = outcome(scene.bench.server.call(PUMP, 'level'));
      await scene.pass(10_000);
      assert.equal(call.value, 'IOTMP_ERR_TIMEOUT');
      await scene.pass(KEEP_ALIVE_MS - 10_000);
      device.send(Buffer.from('0500', 'hex'));
    }
    assert.equal(scene.connected, true);
    assert.equal(device.all(Type.RUN).length, 1, 'only the call before the cut');
  });

  for (const loss of ['toServer', 'toDevice', 'both'] as const satisfies readonly Loss[]) {
    it(`takes over from its dead session at once (${loss}): calls fail, streams go on`, async () => {
      assert.deepEqual(scene.samples, [5]);
      scene.proxy.cut(loss);
      const call = outcome(scene.bench.server.call(PUMP, 'level'));
      await scene.pass(5000);
      assert.equal(call.value, 'pending');
      const again = await scene.device();
      assert.equal(call.value, 'IOTMP_ERR_CLOSED');
      assert.equal(scene.bench.server.deviceCount, 1);
      assert.deepEqual(scene.bench.log.slice(-2), [
        'disconnected anna/pump: IOTMP_ERR_CLOSED',
        'connected anna/pump',
      ]);
      assert.deepEqual(scene.samples, [5, 5]);
      assert.equal(scene.states.at(-1), 'streaming');
      assert.equal((await scene.bench.server.call(PUMP, 'level')).payload, 5);
      // What is left of the dead session ends by itself, and takes nothing with it.
      device.send(Buffer.from('0500', 'hex'));
      await scene.pass(SILENCE_MS - STEP_MS);
      await again.barrier();
      assert.equal(scene.connected, true);
    });
  }
});

describe('A client whose network is cut without a word', () => {
  let scene: CutScene;
  let client: IotmpClient;
  /** What the client's own resource was called with, and the values of its stream on the server. */
  let received: unknown[];
  let heard: unknown[];

  beforeEach(async () => {
    cleanUp(() => client.close());
    scene = await CutScene.start();
    const { clock, server } = scene.bench;
    [received, heard] = [[], []];
    server.offer('feed', { kind: 'output', run: () => 'fed' });
    client = new IotmpClient({ ...PUMP, host: '127.0.0.1', port: scene.proxy.port, clock, random: () => 1 });
    client.host('level', { kind: 'output', run: () => 7 });
    client.host('valve', { kind: 'input', run: ({ payload }) => void received.push(payload) });
    client.stream('feed', { intervalMs: 3_600_000 }, { onSample: (payload) => heard.push(payload) });
    client.connect();
    await client.ready();
    await scene.arrive();
    assert.deepEqual([scene.samples, heard], [[7], ['fed']]);
  });

  for (const loss of ['toServer', 'toDevice', 'both'] as const satisfies readonly Loss[]) {
    it(`notices after one and a half keep-alives (${loss}), comes back, and streams and calls go on`, async () => {
      scene.proxy.cut(loss);
      await scene.pass(SILENCE_MS - STEP_MS);
      assert.equal(client.state, 'open');
      await scene.pass(STEP_MS);
      assert.equal(client.state, 'waiting');
      assert.equal(client.lastError?.code, 'IOTMP_ERR_TIMEOUT');
      // The client's end is heard where its way is open; elsewhere the server has noticed by itself.
      const code = loss === 'toDevice' ? 'IOTMP_ERR_CLOSED' : 'IOTMP_ERR_TIMEOUT';
      assert.deepEqual(scene.bench.log.slice(-1), [`disconnected anna/pump: ${code}`]);
      await scene.pass(1000);
      await scene.bench.until(() => client.state === 'open');
      await scene.arrive();
      assert.equal(scene.bench.server.deviceCount, 1);
      assert.equal((await client.call('note', { payload: 'back' })).payload, 1);
      assert.equal((await scene.bench.server.call(PUMP, 'level')).payload, 7);
      assert.deepEqual(
        [scene.samples, heard],
        [
          [7, 7],
          ['fed', 'fed'],
        ],
      );
    });

    it(`reports no call as done that was not, and has every one that was (${loss})`, async () => {
      await client.call('note', { payload: 'before' });
      await scene.bench.server.call(PUMP, 'valve', { payload: 'before' });
      scene.proxy.cut(loss);
      const outward = outcome(client.call('note', { payload: 'lost?' }));
      const inward = outcome(scene.bench.server.call(PUMP, 'valve', { payload: 'lost?' }));
      await scene.pass(10_000);
      assert.deepEqual([outward.value, inward.value], ['IOTMP_ERR_TIMEOUT', 'IOTMP_ERR_TIMEOUT']);
      // Only the answer was lost where the way there was open: so a timeout does not say that nothing was done.
      assert.deepEqual(scene.noted, loss === 'toDevice' ? ['before', 'lost?'] : ['before']);
      assert.deepEqual(received, loss === 'toServer' ? ['before', 'lost?'] : ['before']);
      await scene.pass(SILENCE_MS - 10_000 + 1000);
      await scene.bench.until(() => client.state === 'open');
      const noted = scene.noted.length;
      await client.call('note', { payload: 'after' });
      await scene.bench.server.call(PUMP, 'valve', { payload: 'after' });
      assert.deepEqual(scene.noted.slice(noted), ['after'], 'nothing is repeated');
      assert.deepEqual([scene.noted[0], received[0], received.at(-1)], ['before', 'before', 'after']);
    });
  }

  it('takes over from its dead session, which the server still holds for alive', async () => {
    scene.proxy.cut('toDevice');
    await scene.pass(KEEP_ALIVE_MS);
    scene.proxy.cut('both');
    await scene.pass(SILENCE_MS - KEEP_ALIVE_MS);
    assert.deepEqual([client.state, scene.connected, scene.bench.server.takeOvers], ['waiting', true, 0]);
    await scene.pass(1000);
    await scene.bench.until(() => client.state === 'open');
    assert.equal(scene.bench.server.takeOvers, 1);
    await scene.pass(SILENCE_MS);
    assert.deepEqual([client.state, scene.bench.server.deviceCount], ['open', 1]);
    assert.equal((await scene.bench.server.call(PUMP, 'level')).payload, 7);
  });
});
