import assert from 'node:assert/strict';
import type { EventEmitter } from 'node:events';
import { describe, it } from 'mocha';
import { times } from '../../support/effort';
import { FlowBench } from './support/flow-bench';
import {
  callNode,
  catchNodes,
  clientNode,
  eventsNode,
  LAMP,
  resourceInNode,
  resourceOutNode,
  responseNode,
  serverNode,
  sinkNode,
  streamNode,
  type NodeConfig,
} from './support/flows';

const THROUGH_CLIENT = { via: 'client', client: 'client', server: '' };
const DEPLOYS = times(50);

/** A flow with every node of the package; `turn` changes those that have a name to change. */
function everything(port: number, turn: number): NodeConfig[] {
  return [
    serverNode(port, { wsPath: '/iotmp' }),
    clientNode(port),
    resourceInNode({ resource: `led${turn % 2}`, reply: 'flow' }),
    resourceInNode({ id: 'taken', resource: `led${turn % 2}` }),
    resourceInNode({ ...THROUGH_CLIENT, id: 'client-in', resource: 'led' }),
    responseNode(),
    resourceOutNode({ resource: `level${turn % 2}` }),
    callNode({ timeout: 10 + (turn % 2) }),
    streamNode({ resource: `of-client${turn % 2}` }),
    streamNode({ ...THROUGH_CLIENT, id: 'client-stream', resource: `level${turn % 2}` }),
    resourceOutNode({ ...THROUGH_CLIENT, id: 'client-out', resource: `of-client${turn % 2}` }),
    eventsNode({ device: turn % 2 === 0 ? '' : 'pump' }),
    sinkNode(),
    ...catchNodes(),
  ];
}

function counts(names: readonly string[]): Record<string, number> {
  const counted: Record<string, number> = {};
  for (const name of [...names].sort()) counted[name] = (counted[name] ?? 0) + 1;
  return counted;
}

function listeners(emitter: EventEmitter): Record<string, number> {
  const names = emitter.eventNames().map((name) => [String(name), emitter.listenerCount(name)] as const);
  return Object.fromEntries(names.sort());
}

/** Everything that a deploy could leave behind. */
function belongings(bench: FlowBench): Record<string, unknown> {
  const kinds = ['TCPSocketWrap', 'TCPServerWrap', 'Timeout', 'TLSWrap', 'TCPConnectWrap'];
  const resources = process.getActiveResourcesInfo().filter((name) => kinds.includes(name));
  return {
    resources: counts(resources),
    events: listeners(bench.RED.events),
    upgrades: bench.RED.server.listenerCount('upgrade'),
    server: listeners(bench.server()),
    hosted: bench.server().host.resources.size,
    users: Object.keys((bench.node('server') as unknown as { users: object }).users).length,
  };
}

/** The belongings when nothing is on its way any more: statuses are shown half a second apart. */
async function settled(bench: FlowBench): Promise<Record<string, unknown>> {
  let last = belongings(bench);
  for (let calm = 0; calm < 10; calm++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const now = belongings(bench);
    if (JSON.stringify(now) !== JSON.stringify(last)) calm = 0;
    last = now;
  }
  return last;
}

describe('many deploys', function () {
  this.timeout(60_000);

  for (const mode of ['full', 'flows', 'nodes'] as const) {
    it(`of mode ${mode} leave nothing behind`, async () => {
      const bench = await FlowBench.start();
      await bench.load(...everything(bench.port, 0));
      const lamp = await bench.device(LAMP);
      const deploy = async (turn: number): Promise<void> => {
        const flow = everything(bench.port, turn);
        // With their credentials, the config nodes count as changed.
        const isChanged = turn % 5 === 0;
        await bench.deploy(
          mode,
          ...flow.map(({ credentials, ...node }) => (isChanged ? { ...node, credentials } : node)),
        );
        await bench.connected();
      };
      await deploy(1);
      await deploy(2);
      const before = await settled(bench);
      for (let turn = 0; turn < DEPLOYS; turn++) await deploy(turn + 1);
      await lamp.barrier();
      assert.equal(bench.log('info', 'server').length, 1, 'the listener was opened once');
      assert.deepEqual(bench.log('error', 'server'), []);
      await deploy(2);
      assert.deepEqual(await settled(bench), before);
    });
  }
});
