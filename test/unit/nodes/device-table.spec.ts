import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import helper from 'node-red-node-test-helper';
import { serverTable } from '../../../nodes/settings/iotmp-server';
import { FlowBench } from './support/flow-bench';
import { devicesOf, LAMP, PUMP, serverNode, sinkNode } from './support/flows';

const TABLE = '/iotmp/servers/server/table';
const TAP = { user: 'anna', device: 'tap', credential: 'water' };
const ADD_TAP = { devicesChange: JSON.stringify({ set: [TAP], remove: [] }) };
const RENAME_PUMP = {
  devicesChange: JSON.stringify({
    set: [{ from: [0, 'anna', 'pump'], user: 'anna', device: 'pump2' }],
    remove: [],
  }),
};
/** What a deploy gives of a node that was not changed. */
const UNCHANGED = { credentials: undefined };

async function start(properties: Record<string, unknown> = {}): Promise<FlowBench> {
  const bench = await FlowBench.start();
  await bench.load(serverNode(bench.port, properties), sinkNode());
  return bench;
}

async function table(): Promise<unknown> {
  return (await helper.request().get(TABLE)).body;
}

const stored = (bench: FlowBench): unknown => bench.RED.nodes.getCredentials('server');
const shown = (...devices: string[]): unknown => ({
  rows: devices.map((device) => ({ user: 'anna', device, isSet: true })),
});

describe('the table of devices at the runtime', () => {
  it('is told without credentials, but for the names of variables', async () => {
    const rows = [PUMP, { user: 'anna', device: 'env', credential: '${SECRET}' }, { user: 'anna' }, 7];
    await start({ credentials: devicesOf(...rows) });
    assert.deepEqual(await table(), {
      rows: [
        { user: 'anna', device: 'pump', isSet: true },
        { user: 'anna', device: 'env', isSet: true, variable: '${SECRET}' },
        { user: 'anna', device: '', isSet: false },
        { user: '', device: '', isSet: false },
      ],
    });
  });

  it('is told as the variable that holds it', async () => {
    await start({ credentials: { devices: '${DEVICES}' } });
    assert.deepEqual(await table(), { variable: '${DEVICES}' });
  });

  it('is told by nobody but a server node', async () => {
    await start();
    for (const id of ['missing', 'out', 'tab', '__proto__']) {
      assert.equal((await helper.request().get(`/iotmp/servers/${id}/table`)).status, 404, id);
    }
  });

  for (const type of ['full', 'flows', 'nodes'] as const) {
    it(`takes the changes of a deploy (${type}), with which devices connect at once`, async () => {
      const bench = await start();
      await bench.deploy(type, serverNode(bench.port, { credentials: ADD_TAP }), sinkNode());
      await bench.device(TAP);
      await bench.device(PUMP);
      assert.deepEqual(stored(bench), devicesOf(PUMP, LAMP, TAP));
      await bench.deploy(type, serverNode(bench.port, { credentials: RENAME_PUMP }), sinkNode());
      await bench.device({ ...PUMP, device: 'pump2' });
      await assert.rejects(bench.device(PUMP));
      assert.deepEqual(await table(), shown('pump2', 'lamp', 'tap'));
      await bench.deploy(type, serverNode(bench.port, UNCHANGED), sinkNode());
      assert.deepEqual(stored(bench), devicesOf({ ...PUMP, device: 'pump2' }, LAMP, TAP));
    });
  }

  it('starts from nothing at a new node, and with the table of a node that was imported', async () => {
    const bench = await FlowBench.start();
    await bench.load(sinkNode());
    await bench.deploy('nodes', serverNode(bench.port, { credentials: ADD_TAP }), sinkNode());
    assert.deepEqual(stored(bench), devicesOf(TAP));
    const imported = { id: 'other', enabled: false, credentials: { ...devicesOf(PUMP), ...ADD_TAP } };
    await bench.deploy('nodes', serverNode(bench.port, UNCHANGED), serverNode(0, imported), sinkNode());
    assert.deepEqual(bench.RED.nodes.getCredentials('other'), devicesOf(PUMP, TAP));
  });

  it('is whole after a restart that comes right after the deploy, when the change is on the disk', async () => {
    const bench = await start({ credentials: { ...devicesOf(PUMP, LAMP), ...ADD_TAP } });
    await bench.device(TAP);
    assert.deepEqual(await table(), shown('pump', 'lamp', 'tap'));
  });

  for (const off of [{ enabled: false }, { d: true }]) {
    it(`takes the changes of a server with ${JSON.stringify(off)}, one deploy after the other`, async () => {
      const bench = await start({ ...off, port: 0 });
      await bench.deploy('full', serverNode(bench.port, { ...off, credentials: ADD_TAP }), sinkNode());
      await bench.deploy('full', serverNode(bench.port, { ...off, credentials: RENAME_PUMP }), sinkNode());
      assert.deepEqual(await table(), shown('pump2', 'lamp', 'tap'));
      assert.deepEqual(stored(bench), devicesOf({ ...PUMP, device: 'pump2' }, LAMP, TAP));
    });
  }

  it('stays as it is under a change that does not fit, which is told', async () => {
    const bench = await start({ credentials: { devices: '${DEVICES}' } });
    await bench.deploy('nodes', serverNode(bench.port, { credentials: ADD_TAP }), sinkNode());
    assert.deepEqual(stored(bench), { devices: '${DEVICES}' });
    const said = helper.log().args.map(([{ msg }]) => String(msg));
    assert.equal(said.filter((text) => text.includes('changeLost')).length, 1);
    assert.ok(!said.some((text) => text.includes(TAP.credential)));
  });

  it('is a credential that Node-RED gives to no editor, as all of the node are', () => {
    const types = Object.entries(serverTable.credentials).map(([name, { type }]) => `${name}: ${type}`);
    assert.deepEqual(types, ['devices: password', 'devicesChange: password', 'apiSecret: password']);
  });
});
