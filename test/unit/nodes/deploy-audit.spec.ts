import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, it } from 'mocha';
import { auditOf, told, type KeptEntry } from './support/audit';
import { FlowBench } from './support/flow-bench';
import { devicesOf, LAMP, PUMP, serverNode, sinkNode } from './support/flows';

const NEW = { user: 'anna', device: 'valve', credential: 'a secret of the valve' };
const RULE = { effect: 'deny', who: '*', action: '*', target: '*' };

async function start(): Promise<FlowBench> {
  const bench = await FlowBench.start();
  await bench.load(serverNode(bench.port), sinkNode());
  await bench.listening();
  return bench;
}

/** The entries, once there are as many. */
async function entriesOf(bench: FlowBench, count: number): Promise<KeptEntry[]> {
  for (let turn = 0; turn < 100; turn++) {
    const entries = await auditOf(bench);
    if (entries.length >= count) return entries;
    await delay(20);
  }
  return auditOf(bench);
}

describe('a deploy, in the audit log', () => {
  it('has one entry of each kind of change, with names and numbers, and no credential', async () => {
    const bench = await start();
    const pump = { ...PUMP, credential: 'another secret' };
    const properties = { credentials: devicesOf(pump, NEW), rules: [RULE], keepAlive: 30 };
    await bench.deploy('full', serverNode(bench.port, properties), sinkNode());
    const entries = await entriesOf(bench, 5);
    assert.deepEqual(told(entries), [
      'deploy deploy AddDevices 1: anna/valve 200',
      'deploy deploy RemoveDevices 1: anna/lamp 200',
      'deploy deploy ChangeCredentials 1: anna/pump 200',
      'deploy deploy ConfigureServer 1: keepAliveS 200',
      'deploy deploy ChangeRules 0 rules before, 1 now 200',
    ]);
    for (const { credential } of [PUMP, LAMP, pump, NEW]) {
      assert.ok(!JSON.stringify(entries).includes(credential));
    }
  });

  it('has no entry where nothing has changed', async () => {
    const bench = await start();
    await bench.deploy('full', serverNode(bench.port), sinkNode());
    await bench.deploy('full', serverNode(bench.port, { keepAlive: 30 }), sinkNode());
    assert.deepEqual(told(await entriesOf(bench, 1)), ['deploy deploy ConfigureServer 1: keepAliveS 200']);
  });
});
