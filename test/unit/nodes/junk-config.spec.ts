import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import fc from 'fast-check';
import { FlowBench } from './support/flow-bench';
import {
  callNode,
  clientNode,
  eventsNode,
  resourceInNode,
  resourceOutNode,
  responseNode,
  serverNode,
  sinkNode,
  streamNode,
  type NodeConfig,
} from './support/flows';
import { freePort } from './support/free-port';

const KINDS: readonly (() => NodeConfig)[] = [
  callNode,
  eventsNode,
  resourceInNode,
  resourceOutNode,
  responseNode,
  streamNode,
];

/** Properties that make a node what it is; the port is kept so that nobody listens where others do. */
const KEPT = ['id', 'type', 'z', 'wires', 'credentials', 'tcpPort', 'tlsPort', 'host'];

const junk = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  fc.constantFrom(
    null,
    '',
    ' ',
    '/',
    ':',
    '*',
    '${MISSING}',
    '${',
    'NaN',
    '-1',
    '1e999',
    '[]',
    '{',
    '__proto__',
  ),
  fc.constantFrom(0, -1, 1.5, 1e300, true, false, [], {}, [[]], { length: 5 }),
  fc.constantFrom('msg', 'flow', 'jsonata', 'env', 'json', 'bin', 're', 'date', 'num', 'nope'),
  // Node-RED itself turns every property into a text.
  fc.jsonValue({ maxDepth: 2 }).filter((value) => !/toString|valueOf/.test(JSON.stringify(value))),
  fc.string(),
);

/** Ids of nodes, which flow nodes may have anywhere; of a config node they are what it waits for. */
const ids = fc.constantFrom('server', 'client', 'out', 'call', 'tab');

/** The node with junk in some of its properties. */
function spoiled(node: NodeConfig, value: fc.Arbitrary<unknown> = junk): fc.Arbitrary<NodeConfig> {
  const names = Object.keys(node).filter((name) => !KEPT.includes(name));
  return fc.tuple(...names.map(() => value)).map((values) => {
    const changes = names.map((name, i) => [name, values[i]] as const);
    return { ...node, ...Object.fromEntries(changes.filter(([, value]) => value !== undefined)) };
  });
}

const junkCredentials = fc.oneof(
  fc.record({ devices: fc.oneof(fc.string(), fc.json({ maxDepth: 2 })), credential: fc.string() }),
  fc.constant({}),
);

describe('junk in the properties', function () {
  this.timeout(60_000);

  it('of flow nodes never throws out of a constructor, and each message comes to one end', async () => {
    const bench = await FlowBench.start();
    const configs = [serverNode(bench.port), clientNode(bench.port)];
    const takers = ['call', 'resource-out', 'response', 'stream'];
    const watchers: NodeConfig[] = [
      { id: 'catcher', type: 'catch', scope: takers, uncaught: false, wires: [['ends']] },
      { id: 'completer', type: 'complete', scope: takers, uncaught: false, wires: [['ends']] },
      sinkNode('ends'),
    ];
    await bench.load(...configs, sinkNode(), ...watchers);
    const unchanged = configs.map(({ credentials: _, ...node }) => node);
    const flows = fc.tuple(
      ...KINDS.map((kind) => spoiled(kind(), fc.oneof({ weight: 9, arbitrary: junk }, ids))),
    );
    let probe = 0;
    await fc.assert(
      fc.asyncProperty(flows, fc.jsonValue({ maxDepth: 2 }), async (nodes, payload) => {
        await bench.deploy('nodes', ...unchanged, ...nodes, sinkNode(), ...watchers);
        for (const { id } of nodes) bench.send(id, { payload, probe: ++probe, by: id });
        for (const id of takers) await bench.box('ends').next(({ by }) => by === id);
      }),
      { numRuns: 60 },
    );
    const probes = bench.box('ends').all.map((message) => message.probe);
    const known = probes.filter((one) => one !== undefined);
    assert.equal(new Set(known).size, known.length);
    await bench.device();
  });

  it('of config nodes never throws out of a constructor', async () => {
    const bench = await FlowBench.start();
    await bench.load(sinkNode());
    const port = await freePort();
    const configs = fc.tuple(spoiled(serverNode(bench.port)), spoiled(clientNode(port)), junkCredentials);
    await fc.assert(
      fc.asyncProperty(configs, async ([server, client, credentials]) => {
        await bench.deploy(
          'full',
          { ...server, credentials },
          { ...client, credentials },
          callNode(),
          callNode({ id: 'other', via: 'client', client: 'client' }),
          sinkNode(),
        );
        for (const id of ['call', 'other']) bench.send(id, { payload: 1 });
      }),
      { numRuns: 60 },
    );
  });
});
