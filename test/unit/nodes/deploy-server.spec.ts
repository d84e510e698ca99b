import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { RawDevice } from '../support/raw-device';
import { Type } from '../support/raw-message';
import { tcpWire } from '../support/raw-wire';
import { temporaryFolder } from '../store/support/stores';
import { FlowBench } from './support/flow-bench';
import {
  devicesOf,
  eventsNode,
  LAMP,
  PUMP,
  resourceInNode,
  resourceOutNode,
  serverNode,
  sinkNode,
  streamNode,
  type NodeConfig,
} from './support/flows';
import { freePort } from './support/free-port';
import { patiently } from './support/patience';
import { sessionOf } from '../support/device-session';

const MODES = ['full', 'flows', 'nodes'] as const;

/** The node as the editor sends it when its credentials were not touched. */
function unchanged({ credentials: _, ...node }: NodeConfig): NodeConfig {
  return node;
}

async function start(): Promise<{ bench: FlowBench; pump: RawDevice; lamp: RawDevice }> {
  const bench = await FlowBench.start();
  await bench.load(serverNode(bench.port), resourceInNode(), streamNode(), eventsNode(), sinkNode());
  const pump = await bench.device(PUMP, { level: { fn: 3, run: () => 1 } });
  return { bench, pump, lamp: await bench.device(LAMP) };
}

/** Calls a resource of the server; gives the type of the answer. */
async function run(device: RawDevice, resource: string): Promise<number> {
  device.send(device.build(Type.RUN, { id: 77, resource, payload: 1 }));
  for (;;) {
    const { id, type } = await device.next();
    if (id === 77) return type;
  }
}

async function isFree(port: number): Promise<boolean> {
  try {
    (await tcpWire(port)).cut();
    return false;
  } catch {
    return true;
  }
}

describe('a deploy', function () {
  this.timeout(60_000);

  for (const mode of MODES) {
    it(`of mode ${mode} that changes a flow node keeps devices connected`, async () => {
      const { bench, pump, lamp } = await start();
      const session = sessionOf(await bench.connectedDevice());
      await bench.deploy(
        mode,
        unchanged(serverNode(bench.port)),
        resourceInNode({ resource: 'other' }),
        streamNode(),
        eventsNode(),
        sinkNode(),
      );
      assert.equal(await run(pump, 'led'), Type.ERROR);
      assert.equal(await run(lamp, 'other'), Type.OK);
      assert.equal(sessionOf(await bench.connectedDevice()), session);
      assert.equal(bench.server().deviceCount, 2);
      assert.deepEqual(bench.log('info', 'server'), [`tcp: 127.0.0.1:${bench.port}`]);
    });

    it(`of mode ${mode} that changes the device table drops who was removed, and nobody else`, async () => {
      const { bench, pump, lamp } = await start();
      await bench.deploy(
        mode,
        serverNode(bench.port, { credentials: devicesOf(PUMP) }),
        resourceInNode(),
        sinkNode(),
      );
      await patiently(lamp.serverEnded, () => 'the end of the removed device');
      assert.equal(await run(pump, 'led'), Type.OK);
      assert.equal(bench.server().deviceCount, 1);
    });

    it(`of mode ${mode} that removes the server frees its port before it ends`, async () => {
      const { bench, pump } = await start();
      const server = bench.server();
      let isStopped = false;
      bench.RED.events.once('flows:stopped', () => (isStopped = !server.running));
      await bench.deploy(mode, sinkNode());
      assert.equal(isStopped, true);
      assert.equal(await isFree(bench.port), true);
      await patiently(pump.serverEnded, () => 'the end of the device');
    });

    it(`of mode ${mode} that disables the server frees its port`, async () => {
      const { bench, pump } = await start();
      await bench.deploy(mode, { ...unchanged(serverNode(bench.port)), enabled: false }, sinkNode());
      await patiently(pump.serverEnded, () => 'the end of the device');
      assert.equal(await isFree(bench.port), true);
    });
  }

  it('that changes the credential of a device drops it, and nobody else', async () => {
    const { bench, pump, lamp } = await start();
    const changed = { ...LAMP, credential: 'another' };
    await bench.deploy(
      'nodes',
      serverNode(bench.port, { credentials: devicesOf(PUMP, changed) }),
      resourceInNode(),
      sinkNode(),
    );
    await patiently(lamp.serverEnded, () => 'the end of the changed device');
    assert.equal(await run(pump, 'led'), Type.OK);
    await bench.device(changed);
  });

  it('that breaks the settings of its API ends it, and leaves nothing behind that is in the way later', async () => {
    const userDir = temporaryFolder();
    const bench = await FlowBench.start({ userDir });
    const server = serverNode(bench.port, { api: true, storage: 'file' });
    await bench.load(server, resourceInNode(), sinkNode());
    const pump = await bench.device();
    await bench.deploy('nodes', { ...unchanged(server), apiPath: 'no slash' }, sinkNode());
    await bench.status('server', 'red', 'apiPath');
    await patiently(pump.serverEnded, () => 'the end of the device');
    await bench.deploy('nodes', unchanged(server), resourceInNode(), sinkNode());
    assert.equal(await run(await bench.device(), 'led'), Type.OK);
    assert.equal(bench.log('error', 'server').length, 1, bench.log('error', 'server').join('\n'));
  });

  it('that changes the port moves the listener, and devices stay connected', async () => {
    const { bench, pump } = await start();
    const port = await freePort();
    await bench.deploy('nodes', unchanged(serverNode(port)), resourceInNode(), sinkNode());
    assert.equal(await run(pump, 'led'), Type.OK);
    await bench.device(LAMP, {}, await bench.listening());
    assert.equal(await isFree(bench.port), true);
    assert.equal(await isFree(port), false);
  });

  it('that breaks the settings of the server ends it, and one that mends them starts it', async () => {
    const { bench, pump } = await start();
    await bench.deploy('nodes', { ...unchanged(serverNode(bench.port)), keepAlive: 'x' }, sinkNode());
    await bench.status('server', 'red', 'keepAlive');
    await patiently(pump.serverEnded, () => 'the end of the device');
    await bench.deploy('nodes', unchanged(serverNode(bench.port)), resourceInNode(), sinkNode());
    assert.equal(await run(await bench.device(), 'led'), Type.OK);
  });

  it('that disables the server node frees its port', async () => {
    const { bench, pump } = await start();
    await bench.deploy(
      'full',
      { ...unchanged(serverNode(bench.port)), d: true },
      resourceInNode(),
      sinkNode(),
    );
    await bench.status('resource-in', 'red', 'status.noServer');
    await patiently(pump.serverEnded, () => 'the end of the device');
    assert.equal(await isFree(bench.port), true);
    await bench.deploy('full', unchanged(serverNode(bench.port)), resourceInNode(), sinkNode());
    assert.equal(await run(await bench.device(), 'led'), Type.OK);
  });

  it('that replaces the server by another one on the same port', async () => {
    const { bench, pump } = await start();
    const other = serverNode(bench.port, { id: 'other' });
    await bench.deploy('full', other, resourceInNode({ server: 'other' }), sinkNode());
    await patiently(pump.serverEnded, () => 'the end of the device');
    await bench.listening('tcp', 'other');
    assert.deepEqual(bench.log('error'), []);
    assert.equal(await run(await bench.device(PUMP, {}, bench.port), 'led'), Type.OK);
  });

  it('that swaps the ports of two servers', async () => {
    const bench = await FlowBench.start();
    const port = await freePort();
    const second = { id: 'second', credentials: devicesOf(LAMP) };
    await bench.load(serverNode(bench.port), serverNode(port, second), sinkNode());
    await bench.listening();
    await bench.listening('tcp', 'second');
    await bench.deploy('full', serverNode(port), serverNode(bench.port, second), sinkNode());
    const moved = async (id: string, wanted: number): Promise<void> => {
      // A port that the other one still has is tried again.
      while ((await bench.listening('tcp', id)) !== wanted) await new Promise(setImmediate);
    };
    await Promise.all([moved('server', port), moved('second', bench.port)]);
    await bench.device(LAMP, {}, bench.port);
    await bench.device(PUMP, {}, port);
  });

  it('continues the streams of devices, and the events of the server', async () => {
    const { bench, pump } = await start();
    await bench.box().next(({ topic }) => topic === 'anna/pump/level');
    await bench.deploy('full', unchanged(serverNode(bench.port)), streamNode(), eventsNode(), sinkNode());
    await bench.box().next(({ topic }) => topic === 'anna/pump/level');
    assert.equal(pump.streams.size, 1);
    pump.wire.cut();
    const gone = await bench.box().next(({ topic, payload }) => {
      return topic === 'device_state_change' && (payload as { state: string }).state === 'disconnected';
    });
    assert.equal(gone.device, 'pump');
  });

  it('ends the streams that devices have on resources that are gone', async () => {
    const bench = await FlowBench.start();
    await bench.load(serverNode(bench.port), resourceOutNode({ initial: '1' }), sinkNode());
    const device = await bench.device();
    device.send(device.build(Type.START_STREAM, { id: 9, resource: 'level' }));
    await device.next(Type.STREAM_DATA);
    await bench.deploy('nodes', unchanged(serverNode(bench.port)), sinkNode());
    assert.equal((await device.next(Type.STOP_STREAM)).id, 9);
  });

  it('right after another one', async () => {
    const { bench, pump } = await start();
    const ports = [await freePort(), await freePort(), bench.port];
    for (const port of ports) {
      await bench.deploy('full', unchanged(serverNode(port)), resourceInNode(), sinkNode());
    }
    assert.equal(await bench.listening(), bench.port);
    assert.equal(await run(pump, 'led'), Type.OK);
    for (const port of ports.slice(0, 2)) assert.equal(await isFree(port), true);
  });
});

describe('the end of Node-RED', function () {
  this.timeout(60_000);

  it('closes the ports and the connections', async () => {
    const { bench, pump, lamp } = await start();
    const server = bench.server();
    await bench.unload();
    await patiently(Promise.all([pump.serverEnded, lamp.serverEnded]), () => 'the end of the devices');
    assert.equal(server.running, false);
    assert.equal(await isFree(bench.port), true);
  });

  it('comes while a server starts', async () => {
    const bench = await FlowBench.start();
    await bench.load(serverNode(bench.port, { host: 'localhost' }), resourceInNode(), sinkNode());
    const server = bench.server();
    await bench.unload();
    assert.equal(server.running, false);
    await patiently(server.close(), () => 'the end of the server');
    assert.equal(await isFree(bench.port), true);
  });
});
