import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'mocha';
import { temporaryFolder } from '../store/support/stores';
import { FlowBench } from './support/flow-bench';
import {
  callNode,
  clientNode,
  devicesOf,
  LAMP,
  PUMP,
  resourceInNode,
  serverNode,
  sinkNode,
  type NodeConfig,
} from './support/flows';
import { patiently } from './support/patience';
import { sessionOf } from '../support/device-session';

const THROUGH_CLIENT = { via: 'client', client: 'client', server: '' };

function unchanged({ credentials: _, ...node }: NodeConfig): NodeConfig {
  return node;
}

/** A server, and a client with a user. */
async function start(): Promise<{ bench: FlowBench; configs: NodeConfig[] }> {
  const bench = await FlowBench.start();
  const configs = [serverNode(bench.port), clientNode(bench.port)];
  await bench.load(...configs, resourceInNode(THROUGH_CLIENT), sinkNode());
  await bench.connected();
  return { bench, configs: configs.map(unchanged) };
}

/** Resolves when a device of the server is gone. */
async function disconnected(bench: FlowBench): Promise<void> {
  await patiently(once(bench.server(), 'disconnected'), () => 'the end of the connection');
}

describe('a deploy, for an iotmp-client', () => {
  it('that changes one of its nodes keeps the connection', async () => {
    const { bench, configs } = await start();
    const session = sessionOf(await bench.connectedDevice());
    await bench.deploy(
      'nodes',
      ...configs,
      resourceInNode({ ...THROUGH_CLIENT, resource: 'other' }),
      sinkNode(),
    );
    const device = await bench.connectedDevice();
    assert.equal(sessionOf(device), session);
    await device.call('other', { payload: 1 });
    await assert.rejects(device.call('led', { payload: 1 }), { code: 'IOTMP_ERR_REMOTE' });
  });

  it('that replaces its only node by another one keeps the connection', async () => {
    const { bench, configs } = await start();
    const session = sessionOf(await bench.connectedDevice());
    await bench.deploy('nodes', ...configs, callNode(THROUGH_CLIENT), sinkNode());
    assert.equal(sessionOf(await bench.connectedDevice()), session);
  });

  for (const mode of ['flows', 'nodes'] as const) {
    it(`of mode ${mode} that removes its last node drops the connection; a first one brings it back`, async () => {
      const { bench, configs } = await start();
      const gone = disconnected(bench);
      await bench.deploy(mode, ...configs, sinkNode());
      await gone;
      await bench.status('client', 'grey', 'status.disconnected');
      await bench.deploy(mode, ...configs, resourceInNode(THROUGH_CLIENT), sinkNode());
      await bench.connected();
      await (await bench.connectedDevice()).call('led', { payload: 1 });
    });
  }

  it('that moves its last node to another client drops the connection', async () => {
    const { bench, configs } = await start();
    const second = clientNode(bench.port, { id: 'second', device: LAMP.device });
    const gone = disconnected(bench);
    await bench.deploy(
      'nodes',
      ...configs,
      { ...second, credentials: { credential: LAMP.credential } },
      resourceInNode({ ...THROUGH_CLIENT, client: 'second' }),
      sinkNode(),
    );
    await gone;
    await bench.connectedDevice(LAMP);
    assert.equal(bench.server().deviceCount, 1);
  });

  it('that disables its last node drops the connection', async () => {
    const { bench, configs } = await start();
    const gone = disconnected(bench);
    await bench.deploy('nodes', ...configs, resourceInNode({ ...THROUGH_CLIENT, d: true }), sinkNode());
    await gone;
  });

  it('that changes its identity connects it anew', async () => {
    const { bench, configs } = await start();
    const gone = disconnected(bench);
    await bench.deploy(
      'nodes',
      configs[0]!,
      clientNode(bench.port, { device: LAMP.device, credentials: { credential: LAMP.credential } }),
      resourceInNode(THROUGH_CLIENT),
      sinkNode(),
    );
    await gone;
    await bench.connectedDevice(LAMP);
  });

  it('that removes it ends the connection before it ends', async () => {
    const { bench, configs } = await start();
    const gone = disconnected(bench);
    await bench.deploy('full', configs[0]!, sinkNode());
    await gone;
    assert.equal(bench.server().deviceCount, 0);
  });

  it('of mode full connects it anew', async () => {
    const { bench, configs } = await start();
    const gone = disconnected(bench);
    await bench.deploy('full', ...configs, resourceInNode(THROUGH_CLIENT), sinkNode());
    await gone;
    await bench.connected();
    await (await bench.connectedDevice()).call('led', { payload: 1 });
    assert.deepEqual(bench.log('warn', 'client'), []);
  });

  it('that registers its device with the server of the same Node-RED lets it in, and never refuses it', async () => {
    const bench = await FlowBench.start({ userDir: temporaryFolder() });
    const server = { storage: 'file', api: true, credentials: devicesOf(LAMP) };
    await bench.load(serverNode(bench.port, server), resourceInNode(), sinkNode());
    await bench.listening();
    await bench.deploy(
      'full',
      serverNode(bench.port, { ...server, credentials: devicesOf(LAMP, PUMP) }),
      clientNode(bench.port),
      resourceInNode(THROUGH_CLIENT),
      sinkNode(),
    );
    await bench.connected();
    assert.deepEqual(bench.log('warn', 'client'), []);
  });

  it('ends its connection with Node-RED', async () => {
    const { bench } = await start();
    const device = await bench.connectedDevice();
    await bench.unload();
    assert.equal(sessionOf(device).state, 'closed');
  });
});
