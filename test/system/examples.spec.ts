import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { after, before, describe, it } from 'mocha';
import type { Comms } from './support/comms';
import { readDefinitions } from './support/definitions';
import {
  configNodesOf,
  deviceProgram,
  mergeFlows,
  nodeId,
  onPort,
  readExamples,
  type Example,
} from './support/examples';
import { deviceTable, isPlaced, withFreshIds, type Credentials, type FlowNode } from './support/flow';
import type { LogLine } from './support/log';
import { NODE_RED_VERSIONS, startNodeRed, type NodeRed } from './support/node-red';
import { freePort } from './support/ports';
import type { Program } from './support/program';
import { PACK_NAME } from './support/user-directory';

const examples = readExamples();
const definitions = new Map(readDefinitions().map((definition) => [definition.type, definition]));

/** Types of Node-RED itself that examples use. */
const CORE_TYPES = ['tab', 'comment', 'inject', 'debug', 'function', 'switch', 'catch'];
const COMMON_PROPERTIES = ['id', 'type', 'z', 'x', 'y', 'wires'];

describe('example flows', () => {
  it('show every node of the pack', () => {
    const shown = new Set(examples.flatMap(({ flow }) => flow.map(({ type }) => type)));
    const flowNodes = [...definitions.values()].filter(({ isConfig }) => !isConfig);
    assert.ok(flowNodes.length > 0);
    for (const { type } of flowNodes) assert.ok(shown.has(type), `no example shows ${type}`);
  });

  it('never give an id twice, but for config nodes that they share', () => {
    const seen = new Map<string, FlowNode>();
    for (const { name, flow } of examples) {
      assert.equal(new Set(flow.map(({ id }) => id)).size, flow.length, name);
      for (const node of flow) {
        const other = seen.get(node.id);
        if (other !== undefined) assert.deepEqual(node, other, `${name}: ${node.type}`);
        if (isPlaced(node)) assert.equal(other, undefined, `${name}: ${node.id}`);
        seen.set(node.id, node);
      }
    }
  });

  for (const { name, flow } of examples) {
    describe(name, () => {
      const ids = new Set(flow.map(({ id }) => id));

      it('refers only to its own nodes', () => {
        for (const node of flow) {
          for (const id of wiresOf(node)) assert.ok(ids.has(id), `wire of ${node.id}`);
          for (const reference of ['z', 'server', 'client']) {
            const id = node[reference];
            if (id !== undefined && id !== '')
              assert.ok(typeof id === 'string' && ids.has(id), `${reference} of ${node.id}`);
          }
          const via = node.via;
          if (typeof via === 'string') assert.notEqual(node[via], '', `connection of ${node.id}`);
        }
      });

      it('stands on one flow, with a comment that explains it', () => {
        assert.equal(flow.filter(({ type }) => type === 'tab').length, 1);
        const texts = flow.filter(({ type }) => type === 'comment').map((node) => String(node.info));
        assert.ok(texts.some((text) => text.includes('credential')));
      });

      it('names what it shows', () => {
        for (const node of flow.filter(isPlaced)) assert.notEqual(node.name, '', node.id);
      });

      it('uses nodes of Node-RED and of the pack, with the properties that their dialogs know', () => {
        for (const node of flow) {
          const definition = definitions.get(node.type);
          if (definition === undefined) assert.ok(CORE_TYPES.includes(node.type), node.type);
          else {
            const own = Object.keys(node).filter((property) => !COMMON_PROPERTIES.includes(property));
            assert.deepEqual(own.sort(), [...definition.properties].sort(), node.type);
            assert.equal(node.version, 1);
          }
        }
      });

      it('holds no credentials, and listens on the loopback interface only', () => {
        for (const node of flow) {
          assert.equal(node.credentials, undefined);
          if (node.type === 'iotmp-server' || node.type === 'iotmp-client') {
            assert.equal(node.host, '127.0.0.1');
          }
        }
      });
    });
  }
});

const isNumber = (value: unknown): boolean => typeof value === 'number';

/** Whether a value holds an entry, at any depth. */
function has(name: string, expected: unknown): (value: unknown) => boolean {
  return function check(value): boolean {
    if (typeof value !== 'object' || value === null) return false;
    return Object.entries(value).some(
      ([key, entry]) => (key === name && isDeepStrictEqual(entry, expected)) || check(entry),
    );
  };
}

/** Example, inject node to press (none: it runs by itself), debug node, what that shows then. */
const WORK: readonly (readonly [string, string, string, (value: unknown) => boolean])[] = [
  ['01 Getting started/01 First device', '', 'moisture', isNumber],
  ['01 Getting started/01 First device', 'lamp on', 'the lamp was switched', (value) => value === true],
  ['01 Getting started/01 First device', 'lamp off', 'lamp answered', (value) => value === null],
  ['02 Devices/01 Sense - stream a sensor', '', 'temperature in °C', isNumber],
  ['02 Devices/01 Sense - stream a sensor', '', 'battery, position, uptime', has('lat', 40.4168)],
  ['02 Devices/01 Sense - stream a sensor', '', 'alarm', has('limit', 23)],
  ['02 Devices/02 Actuate - switch a relay', 'on', 'states of the relays', has('1', true)],
  ['02 Devices/02 Actuate - switch a relay', 'off', 'states of the relays', has('1', false)],
  ['02 Devices/02 Actuate - switch a relay', '2 + 40', 'result', has('result', 42)],
  ['02 Devices/03 Handle errors', 'nobody is there', 'device offline', has('code', 'IOTMP_ERR_OFFLINE')],
  ['02 Devices/03 Handle errors', 'too slow', 'no answer in time', has('code', 'IOTMP_ERR_TIMEOUT')],
  ['02 Devices/03 Handle errors', 'refused', 'answered with an error', has('statusCode', 418)],
  ['02 Devices/05 Targets from messages', '3 + 4', 'answer, with its device', has('result', 7)],
  [
    '02 Devices/05 Targets from messages',
    'relay 2 on',
    'answer, with its device',
    has('resource', 'relay/2'),
  ],
  [
    '02 Devices/05 Targets from messages',
    'read temperature',
    'answer, with its device',
    has('resource', 'temperature'),
  ],
  ['03 Flows as devices/01 Host sensors', '', 'level of the tank', isNumber],
  [
    '03 Flows as devices/01 Host sensors',
    'read the climate',
    'climate',
    (value) => has('warm', true)(value) || has('warm', false)(value),
  ],
  [
    '03 Flows as devices/02 Host actuators',
    'open',
    'answer of the device',
    isDeep({ valve: '1', open: true }),
  ],
  ['03 Flows as devices/02 Host actuators', 'open valve 7', 'error', has('statusCode', 404)],
  ['03 Flows as devices/02 Host actuators', 'restart', 'restart was called', (value) => value === null],
  [
    '04 Server/01 Answer devices',
    '20 °C',
    'answer of the server',
    isDeep({ fahrenheit: 68, device: 'greenhouse' }),
  ],
  ['04 Server/01 Answer devices', 'no number', 'error', has('statusCode', 400)],
  ['04 Server/02 Share a value with devices', '', 'set point at the device', (value) => value === 20],
  ['04 Server/02 Share a value with devices', '22 °C', 'set point at the device', (value) => value === 22],
  ['04 Server/03 Properties', 'set 21 °C', 'set point that is kept', (value) => value === 21],
  ['04 Server/03 Properties', 'which are there', 'properties', has('name', 'set-point')],
  ['04 Server/03 Properties', 'what is it?', 'set point at the device', (value) => value === 21],
  ['04 Server/04 Data buckets', 'measure', 'written by the device', has('humidity', 60)],
  ['04 Server/04 Data buckets', 'a row of the flow', 'written by the flow', has('temperature', 19)],
  ['04 Server/04 Data buckets', 'newest rows', 'rows', has('device', 'greenhouse')],
  ['04 Server/04 Data buckets', 'mean by hour', 'mean of each hour', has('humidity', 60)],
  [
    '04 Server/05 Endpoint',
    'dry soil',
    'answer to the device',
    isDeep({ minutes: 10, device: 'greenhouse' }),
  ],
  ['04 Server/05 Endpoint', 'no moisture', 'error', has('statusCode', 400)],
  ['04 Server/05 Endpoint', 'as a flow', 'answer to the flow', isDeep({ minutes: 0, device: null })],
  ['04 Server/06 Topics', 'light on', 'light', (value) => value === true],
  ['04 Server/06 Topics', 'door opens', 'door', isDeep({ open: true })],
];

function isDeep(expected: unknown): (value: unknown) => boolean {
  return (value) => isDeepStrictEqual(value, expected);
}

/** Who may connect to the server of the examples, and as whom their client does. */
function credentialsFor(flow: readonly FlowNode[]): Credentials {
  const user = 'demo';
  const table = deviceTable([
    { user, device: 'weather-station', credential: 'a' },
    { user, device: 'relay-board', credential: 'b' },
    { user, device: 'greenhouse', credential: 'c' },
  ]);
  return Object.fromEntries(
    configNodesOf(flow).map(({ id, type }) => [id, type === 'iotmp-server' ? table : { credential: 'c' }]),
  );
}

for (const version of NODE_RED_VERSIONS) {
  describe(`example flows in Node-RED ${version}`, function () {
    this.timeout(120_000);

    let nodeRed: NodeRed;
    let comms: Comms;
    let port: number;

    before(async () => {
      port = await freePort();
      nodeRed = await startNodeRed({ version });
      comms = await nodeRed.comms();
    });

    after(() => nodeRed.stop());

    /** Deploys a flow, and gives what was logged by the time its server and its client have come to rest. */
    async function deploy(flow: readonly FlowNode[]): Promise<LogLine[]> {
      const from = nodeRed.output.position;
      const statuses = comms.statuses.position;
      await nodeRed.deploy(flow);
      for (const { id, type } of configNodesOf(flow)) {
        const rest = type === 'iotmp-server' ? /no device registered|listening/ : /login refused|^connected/;
        await comms.waitForStatus(id, ({ text }) => rest.test(text), { from: statuses });
      }
      return nodeRed.errors(from);
    }

    it('are in the menu, as they are in the pack', async () => {
      const root = `/library/examples/flows/${PACK_NAME}/`;
      const found = await menuEntries(nodeRed, root);
      assert.deepEqual(found.sort(), examples.map(({ name }) => name).sort());
      for (const { name, text } of examples) {
        const response = await nodeRed.request(root + pathOf(name));
        assert.equal(await response.text(), text, name);
      }
    });

    for (const { name, flow } of examples) {
      it(`deploy without a fault: ${name}`, async () => {
        assert.deepEqual(await deploy(onPort(flow, port)), []);
        assert.deepEqual(invalidNodes(comms, flow), []);
      });

      it(`deploy with new ids: ${name}`, async () => {
        const copy = withFreshIds(onPort(flow, port));
        assert.deepEqual(await deploy(copy), []);
        assert.deepEqual(invalidNodes(comms, copy), []);
      });

      it(`deploy a second copy beside the first: ${name}`, async () => {
        const first = onPort(flow, port);
        const kept = new Set(configNodesOf(flow).map(({ id }) => id));
        const second = withFreshIds(first, kept);
        const errors = await deploy([...first, ...second]);
        // A resource can be hosted once: what the copy hosts says so, and nothing else is wrong.
        const hosting = second.filter(({ type }) => type.startsWith('iotmp-resource'));
        assert.equal(errors.length, hosting.length, JSON.stringify(errors));
        for (const { node } of errors) assert.match(node, /^iotmp-resource/);
        assert.deepEqual(invalidNodes(comms, [...first, ...second]), []);
      });
    }
  });

  describe(`example flows at work in Node-RED ${version}`, function () {
    this.timeout(120_000);

    const devices = new Map<string, Program>();
    let nodeRed: NodeRed;
    let comms: Comms;
    let env: Record<string, string>;

    function startDevice(name: 'weather-station' | 'relay-board', credential: string): Program {
      const device = deviceProgram(name, { ...env, IOTMP_CREDENTIAL: credential });
      devices.set(name, device);
      return device;
    }

    before(async () => {
      const port = await freePort();
      env = { IOTMP_PORT: String(port) };
      const all = mergeFlows(examples.map(({ flow }) => onPort(flow, port)));
      nodeRed = await startNodeRed({ version, flows: all, credentials: credentialsFor(all) });
      comms = await nodeRed.comms();
      startDevice('weather-station', 'a');
      startDevice('relay-board', 'b');
      const [server] = configNodesOf(all);
      assert.ok(server !== undefined);
      await comms.waitForStatus(server.id, ({ text }) => text === 'listening, 3 devices');
    });

    after(async () => {
      await Promise.all([...devices.values()].map((device) => device.stop()));
      await nodeRed.stop();
    });

    for (const [name, press, shown, check] of WORK) {
      it(`${name}: ${press === '' ? 'by itself' : press}`, async () => {
        const example = examples.find((candidate) => candidate.name === name);
        assert.ok(example !== undefined);
        const from = press === '' ? 0 : comms.debug.position;
        if (press !== '') await nodeRed.inject(nodeId(example, 'inject', press));
        await comms.waitForDebug(nodeId(example, 'debug', shown), check, { from });
      });
    }

    it('tell of a device that goes, fails to log in, and comes back', async () => {
      const from = comms.debug.position;
      const station = devices.get('weather-station');
      assert.deepEqual(await station?.stop(), { code: 0, signal: null });
      await comms.waitForDebug('disconnected', has('device', 'weather-station'), { from });
      const stranger = startDevice('weather-station', 'wrong');
      await stranger.lines.waitFor('refusal', (line) => line.startsWith('not let in'));
      await comms.waitForDebug('login failed', has('device', 'weather-station'), { from });
      await stranger.stop();
      startDevice('weather-station', 'a');
      await comms.waitForDebug('connected', has('device', 'weather-station'), { from });
      const again = comms.debug.position;
      await comms.waitForDebug('temperature in °C', isNumber, { from: again });
    });

    it('log no fault', () => {
      assert.deepEqual(nodeRed.errors(), []);
    });
  });
}

function wiresOf(node: FlowNode): string[] {
  const wires: unknown = node.wires ?? [];
  assert.ok(Array.isArray(wires));
  return wires.flat().map(String);
}

/** Nodes that show that their settings cannot be used. */
function invalidNodes(comms: Comms, flow: readonly FlowNode[]): unknown[] {
  const statuses = comms.currentStatuses();
  return flow
    .flatMap(({ id }) => statuses.get(id) ?? [])
    .filter(({ text }) => /invalid|no server|no client/.test(text));
}

/** Every entry of the menu below a folder of it. */
async function menuEntries(nodeRed: NodeRed, root: string, folder = ''): Promise<string[]> {
  const list = await nodeRed.json(root + pathOf(folder));
  assert.ok(Array.isArray(list));
  const entries: readonly unknown[] = list;
  const found: string[] = [];
  for (const entry of entries) {
    if (typeof entry === 'string') found.push(...(await menuEntries(nodeRed, root, `${folder}${entry}/`)));
    else if (typeof entry === 'object' && entry !== null && 'fn' in entry) {
      found.push(folder + String(entry.fn).replace(/\.json$/, ''));
    }
  }
  return found;
}

function pathOf(name: Example['name']): string {
  return name.split('/').map(encodeURIComponent).join('/');
}
