import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { after, before, describe, it } from 'mocha';
import { deviceTable, parseFlow, type FlowNode } from './support/flow';
import { NODE_RED_VERSIONS, startNodeRed, type NodeRed } from './support/node-red';
import { freePort } from './support/ports';
import { Program } from './support/program';
import { makeTemporaryDirectory, PACK_DIRECTORY, PACK_NAME, removeDirectory } from './support/user-directory';

const run = promisify(execFile);
/** Node.js closes a connection that nothing uses after 5 s. */
const IDLE_CONNECTION_MS = 10_000;
const DEVICE = { user: 'home', device: 'station', credential: 'of-a-test' };
const TYPES = [
  'iotmp-server',
  'iotmp-client',
  'iotmp-resource-in',
  'iotmp-response',
  'iotmp-resource-out',
  'iotmp-call',
  'iotmp-stream',
  'iotmp-events',
];

/** A server, a stream and a call, an endpoint that tells what the process holds, and nothing else. */
function flowOf(port: number, note = ''): FlowNode[] {
  const target = {
    via: 'server',
    server: 'server',
    client: '',
    user: '',
    userType: 'str',
    device: DEVICE.device,
  };
  const link = { ...target, deviceType: 'str', resource: 'temperature', resourceType: 'str', z: 'tab' };
  const nodes: FlowNode[] = [
    { id: 'tab', type: 'tab', label: 'Test' },
    {
      id: 'server',
      type: 'iotmp-server',
      name: '',
      host: '127.0.0.1',
      tcpPort: String(port),
      wsPath: '/iotmp',
    },
    { id: 'stream', type: 'iotmp-stream', ...link, interval: '1000', autostart: true, wires: [['samples']] },
    { id: 'samples', type: 'debug', z: 'tab', name: 'samples', active: true, complete: 'payload', wires: [] },
    {
      id: 'events',
      type: 'iotmp-events',
      z: 'tab',
      via: 'server',
      server: 'server',
      events: ['device_state_change'],
      wires: [['changes']],
    },
    { id: 'changes', type: 'debug', z: 'tab', name: 'changes', active: true, complete: 'payload', wires: [] },
    { id: 'ask', type: 'http in', z: 'tab', url: '/ask', method: 'get', wires: [['call']] },
    {
      id: 'call',
      type: 'iotmp-call',
      ...link,
      payload: '',
      payloadType: 'str',
      params: '',
      wires: [['answer']],
    },
    { id: 'answer', type: 'http response', z: 'tab', wires: [] },
    { id: 'held', type: 'http in', z: 'tab', url: '/held', method: 'get', wires: [['count']] },
    {
      id: 'count',
      type: 'function',
      z: 'tab',
      name: note,
      func: 'msg.payload = { resources: process.getActiveResourcesInfo() }; return msg;',
      libs: [{ var: 'process', module: 'process' }],
      wires: [['answer']],
    },
  ];
  // Node-RED takes a node without a position for a config node.
  return nodes.map((node) => ('wires' in node ? { ...node, x: 100, y: 100 } : node));
}

async function pack(directory: string): Promise<string> {
  // The build was made by the test command; its scripts would make it anew under the feet of other tests.
  const npm = ['pack', '--json', '--ignore-scripts', '--pack-destination', directory];
  const { stdout } = await run('npm', npm, { cwd: PACK_DIRECTORY });
  const name = /"filename":\s*"([^"]+)"/.exec(stdout)?.[1];
  assert.ok(name !== undefined, stdout);
  return join(directory, name);
}

describe('the packed package', function () {
  this.timeout(300_000);

  let scratch: string;
  let tarball: string;

  before(async () => {
    scratch = await makeTemporaryDirectory();
    tarball = await pack(scratch);
  });
  after(() => removeDirectory(scratch));

  it('holds everything that a user needs, and no sources', async () => {
    const { stdout } = await run('tar', ['-tzf', tarball]);
    const files = stdout.split('\n').map((line) => line.replace(/^package\//, ''));
    for (const type of TYPES) {
      for (const file of [
        `${type}.js`,
        `${type}.html`,
        `locales/en-US/${type}.json`,
        `locales/en-US/${type}.html`,
      ]) {
        assert.ok(files.includes(`dist/nodes/${file}`), file);
      }
    }
    for (const file of [
      'README.md',
      'LICENSE',
      'CHANGELOG.md',
      'dist/src/index.d.ts',
      'dist/nodes/icons/iotmp-call.svg',
    ]) {
      assert.ok(files.includes(file), file);
    }
    assert.ok(files.some((file) => /^examples\/.+\.json$/.test(file)));
    assert.deepEqual(
      files.filter((file) => /^(src|nodes|test|\.ci|bench)\//.test(file)),
      [],
    );
  });

  it('has the settings of the nodes in its dialogs and its help', async () => {
    for (const type of TYPES) {
      for (const file of [`${type}.html`, `locales/en-US/${type}.html`]) {
        const { stdout } = await run('tar', ['-xOzf', tarball, `package/dist/nodes/${file}`]);
        assert.doesNotMatch(stdout, /SETTINGS|\{\{\w/, `${file} was not filled in`);
      }
    }
    const { stdout } = await run('tar', ['-xOzf', tarball, 'package/dist/nodes/iotmp-server.html']);
    assert.match(stdout, /tcpPort: \{ value: 25204, label: /);
  });

  for (const version of NODE_RED_VERSIONS) {
    describe(`installed into an empty user directory of Node-RED ${version}`, () => {
      let directory: string;
      let nodeRed: NodeRed;
      let station: Program;
      let port: number;

      before(async () => {
        directory = await makeTemporaryDirectory();
        port = await freePort();
        await writeFile(join(directory, 'package.json'), '{"name":"user-directory","private":true}');
        await run('npm', ['install', '--no-audit', '--no-fund', tarball], { cwd: directory });
        nodeRed = await startNodeRed({
          version,
          userDirectory: directory,
          linkPack: false,
          flows: flowOf(port),
          credentials: { server: deviceTable([DEVICE]) },
        });
        station = startStation(port);
      });

      after(async () => {
        await station.stop();
        await nodeRed.stop();
        await removeDirectory(directory);
      });

      it('loads every node, its texts and its icons', async () => {
        const sets = await nodeRed.json('/nodes');
        assert.ok(Array.isArray(sets));
        const ours = sets.filter((set: { module: string }) => set.module === PACK_NAME) as {
          types: string[];
          enabled: boolean;
          err?: string;
        }[];
        assert.deepEqual(ours.flatMap(({ types }) => types).sort(), [...TYPES].sort());
        assert.ok(ours.every(({ enabled, err }) => enabled && err === undefined));
        const icon = await nodeRed.request(`/icons/${PACK_NAME}/iotmp-call.svg`);
        assert.equal(icon.status, 200);
        const messages = JSON.stringify(await nodeRed.json('/nodes/messages?lng=en-US'));
        assert.ok(
          messages.includes('add it to the devices of the server'),
          'the texts of the pack are served',
        );
      });

      it('shows its examples in the import dialog', async () => {
        const examples = JSON.stringify(await nodeRed.json(`/library/examples/flows/${PACK_NAME}`));
        assert.ok(examples.includes('Getting started'), examples.slice(0, 300));
      });

      it('streams from a device process and calls it', async () => {
        const comms = await nodeRed.comms();
        const sample = await comms.waitForDebug('samples', (value) => typeof value === 'number');
        assert.ok(Number(sample) > -50 && Number(sample) < 60);
        const answer = await nodeRed.json('/ask');
        assert.equal(typeof answer, 'number');
        assert.deepEqual(nodeRed.errors(), []);
      });

      it('keeps devices connected over a deploy of flow nodes, and over a full one', async () => {
        const comms = await nodeRed.comms();
        await comms.waitForDebug('samples');
        const before = comms.debug.position;
        const credentials = { credentials: deviceTable([DEVICE]) };
        const flows = (note: string): FlowNode[] =>
          flowOf(port, note).map((node) => (node.id === 'server' ? { ...node, ...credentials } : node));
        await nodeRed.deploy(flows('changed'), 'nodes');
        await nodeRed.deploy(flows('changed again'), 'full');
        await comms.waitForDebug('samples', () => true, { from: before + 1 });
        const drops = comms.debug.entries.slice(before).filter(({ name }) => name === 'changes');
        assert.deepEqual(drops, [], 'no device came or went');
      });

      it('holds no more sockets and timers after 50 full deploys than after the first', async () => {
        const stored = parseFlow(await readFile(join(directory, 'flows.json'), 'utf8'));
        await nodeRed.deploy(stored, 'full');
        const { Timeout: timersBefore = 0, ...handlesBefore } = await settledResources(nodeRed);
        for (let round = 0; round < 50; round++) await nodeRed.deploy(stored, 'full');
        const { Timeout: timers = 0, ...handles } = await settledResources(nodeRed, handlesBefore);
        // Fewer when a connection of an earlier request has been closed meanwhile.
        for (const [kind, count] of Object.entries(handles)) {
          const before = handlesBefore[kind] ?? 0;
          assert.ok(count <= before, `${kind}: ${before} before, ${count} after`);
        }
        // Core has some timers of its own that come and go; one that each deploy left would make 50.
        assert.ok(timers < timersBefore + 25, `${timersBefore} timers before, ${timers} after`);
        assert.deepEqual(nodeRed.errors(), []);
      });
    });
  }
});

function startStation(port: number): Program {
  const { user, device, credential } = DEVICE;
  return new Program({
    name: 'weather station',
    file: join(PACK_DIRECTORY, 'dist/examples/demo/weather-station.js'),
    args: ['--port', String(port), '--user', user, '--device', device, '--credential', credential],
  });
}

/**
 * How many handles of each kind Node-RED holds when the stream runs again. The request itself and what core
 * keeps for a moment after a deploy come and go, so the smallest of several counts is taken.
 * @param expected is waited for, as long as connections of earlier requests stay open while nothing uses them
 */
async function settledResources(
  nodeRed: NodeRed,
  expected: Readonly<Record<string, number>> = {},
): Promise<Record<string, number>> {
  const comms = await nodeRed.comms();
  await comms.waitForDebug('samples', () => true, { from: comms.debug.position });
  await comms.close();
  const deadline = Date.now() + IDLE_CONNECTION_MS;
  let least = await resources(nodeRed);
  const exceeds = (): boolean => Object.entries(expected).some(([kind, count]) => (least[kind] ?? 0) > count);
  for (let tries = 1; tries < 20 || (exceeds() && Date.now() < deadline); tries++) {
    if (tries >= 20) await delay(100);
    least = smallest(least, await resources(nodeRed));
  }
  return least;
}

async function resources(nodeRed: NodeRed): Promise<Record<string, number>> {
  const { resources } = (await nodeRed.json('/held')) as { resources: string[] };
  const counts: Record<string, number> = {};
  for (const name of resources) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function smallest(one: Record<string, number>, other: Record<string, number>): Record<string, number> {
  const names = Object.keys({ ...one, ...other });
  return Object.fromEntries(names.map((name) => [name, Math.min(one[name] ?? 0, other[name] ?? 0)]));
}
