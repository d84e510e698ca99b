import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import helper from 'node-red-node-test-helper';
import { guess, guessUntilBlocked } from '../support/guesses';
import type { RawDevice } from '../support/raw-device';
import { Type } from '../support/raw-message';
import { FlowBench } from './support/flow-bench';
import { callNode, clientNode, devicesOf, LAMP, PUMP, serverNode, sinkNode } from './support/flows';

const DEVICES = '/iotmp/servers/server/devices';
const BLOCKS = '/iotmp/servers/server/blocks';
const STRANGER = '127.0.0.9';

/** As the dialog asks for it. */
async function deleted(path: string): Promise<{ status: number; body: unknown }> {
  return helper.request().delete(path).set({ 'content-type': 'application/json' });
}

async function start(properties: Record<string, unknown> = {}): Promise<FlowBench> {
  const bench = await FlowBench.start();
  await bench.load(serverNode(bench.port, properties), callNode(), sinkNode());
  return bench;
}

/** Answers every request about the device's resources, and acts on what would act. */
function pump(bench: FlowBench): Promise<RawDevice> {
  return bench.device(PUMP, {
    level: { fn: 3, run: () => ({ m: 2n ** 60n }) },
    valve: { fn: 2, run: () => undefined },
    'set/:point': { fn: 4, run: (input) => input },
    restart: { fn: 1, run: () => undefined },
    odd: { fn: undefined, run: () => undefined },
  });
}

describe('the admin API', () => {
  it('answers 404 for a server that is not deployed, off, or something else', async () => {
    const bench = await FlowBench.start();
    await bench.load(
      serverNode(bench.port, { enabled: false }),
      clientNode(bench.port),
      serverNode(0, { id: 'broken' }),
      sinkNode(),
    );
    for (const id of ['missing', 'server', 'client', 'broken', 'out', '__proto__']) {
      for (const path of ['devices', 'devices/anna/pump/resources', 'blocks']) {
        const { status } = await helper.request().get(`/iotmp/servers/${id}/${path}`);
        assert.equal(status, 404, `${id}/${path}`);
      }
      const { status } = await deleted(`/iotmp/servers/${id}/blocks/${STRANGER}`);
      assert.equal(status, 404, `${id}/blocks`);
    }
  });

  it('lists the devices that are registered, and those that are connected', async () => {
    const bench = await start({ anonymous: true });
    await bench.device(PUMP);
    await bench.device({ user: 'who/ever', device: 'ü/ü' });
    const { status, body } = await helper.request().get(DEVICES);
    assert.equal(status, 200);
    assert.deepEqual(body, [
      { user: 'anna', device: 'pump', connected: true },
      { user: 'anna', device: 'lamp', connected: false },
      { user: 'anonymous', device: 'ü/ü', connected: true },
    ]);
  });

  it('follows the device table', async () => {
    const bench = await start();
    await bench.deploy('nodes', serverNode(bench.port, { credentials: devicesOf(LAMP) }), sinkNode());
    const { body } = await helper.request().get(DEVICES);
    assert.deepEqual(body, [{ user: 'anna', device: 'lamp', connected: false }]);
  });

  it('tells no credential', async () => {
    const bench = await start();
    await pump(bench);
    for (const path of [DEVICES, `${DEVICES}/anna/pump/resources`]) {
      const { text } = await helper.request().get(path);
      for (const { credential } of [PUMP, LAMP]) assert.ok(!text.includes(credential), path);
    }
  });

  it('lists the resources of a device and their last known states, and makes it do nothing', async () => {
    const bench = await start();
    const device = await pump(bench);
    const server = bench.server();
    await server.call(PUMP, 'valve', { payload: false });
    await server.call(PUMP, 'level', {});
    await server.call(PUMP, 'set/:point', { payload: Buffer.from([1]) });
    const before = device.acts.length;
    for (let i = 0; i < 2; i++) {
      const { status, body } = await helper.request().get(`${DEVICES}/anna/pump/resources`);
      assert.equal(status, 200);
      assert.deepEqual(body, {
        resources: [
          { name: 'level', fn: 3, last: { m: '1152921504606846976' } },
          { name: 'valve', fn: 2, last: false },
          { name: 'set/:point', fn: 4, last: { type: 'Buffer', data: [1] } },
          { name: 'restart', fn: 1 },
          { name: 'odd', fn: null },
        ],
      });
    }
    assert.equal(device.acts.length, before);
    assert.deepEqual(
      device.all(Type.DESCRIBE).map(({ resource }) => resource),
      [undefined],
    );
  });

  it('answers 404 for a device that is not connected, or unknown', async () => {
    await start();
    for (const device of ['anna/lamp', 'anna/stranger', '%00/%2f']) {
      const { status } = await helper.request().get(`${DEVICES}/${device}/resources`);
      assert.equal(status, 404, device);
    }
  });

  it('finds a device whose names have slashes and blanks', async () => {
    const slashed = { user: 'a/b', device: 'c d', credential: 'secret' };
    const bench = await start({ credentials: devicesOf(slashed) });
    await bench.device(slashed, { x: { fn: 3, run: () => 1 } });
    const { body } = await helper.request().get(`${DEVICES}/a%2Fb/c%20d/resources`);
    assert.deepEqual(body, { resources: [{ name: 'x', fn: 3 }] });
  });

  it('answers 504 when the device does not describe itself', async () => {
    const bench = await start({ requestTimeout: 0.1 });
    const device = await bench.device();
    device.serves = false;
    const { status, body } = await helper.request().get(`${DEVICES}/anna/pump/resources`);
    assert.equal(status, 504);
    assert.equal(typeof (body as { error: unknown }).error, 'string');
  });

  it('lists the addresses that are blocked, and lifts a block at once', async () => {
    const bench = await start();
    const port = await bench.listening();
    const none = await helper.request().get(BLOCKS);
    assert.deepEqual([none.status, none.body, none.headers['cache-control']], [200, [], 'no-store']);

    await guessUntilBlocked(port, STRANGER);
    const { status, body } = await helper.request().get(BLOCKS);
    assert.equal(status, 200);
    const [block, ...others] = body as { address: string; since: number; until: number; tries: number }[];
    assert.ok(block !== undefined);
    const { since, until, ...rest } = block;
    assert.deepEqual([rest, others], [{ address: STRANGER, tries: 1 }, []]);
    assert.ok(Math.abs(Date.now() - since) < 10_000);
    assert.equal(until - since, 15_000);

    const lifted = await deleted(`${BLOCKS}/${STRANGER}`);
    assert.deepEqual([lifted.status, lifted.body], [200, []]);
    assert.equal(await guess(port, STRANGER, 'another'), 'answered');
  });

  it('lifts the block of an IPv6 network by its name', async () => {
    const bench = await start();
    const network = '2001:db8:0:1::';
    const lifted: string[] = [];
    Object.assign(bench.server(), {
      liftBlock: (address: string) => {
        lifted.push(address);
        return address === network;
      },
    });
    assert.equal((await deleted(`${BLOCKS}/${encodeURIComponent(network)}`)).status, 200);
    assert.deepEqual(lifted, [network]);
  });

  it('answers 404 for an address that is not blocked', async () => {
    const bench = await start();
    await guessUntilBlocked(await bench.listening(), STRANGER);
    for (const address of ['127.0.0.1', '192.0.2.1', '__proto__', '%00', encodeURIComponent('::1')]) {
      assert.equal((await deleted(`${BLOCKS}/${address}`)).status, 404, address);
    }
    assert.equal(bench.server().blockedAddresses.length, 1);
  });
});
