import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Comms } from './support/comms';
import { readDefinitions } from './support/definitions';
import { configNodesOf, mergeFlows, onPort, readExamples, type Example } from './support/examples';
import { deviceTable, isPlaced, withFreshIds, type FlowNode } from './support/flow';
import type { LogLine } from './support/log';
import { NODE_RED_VERSIONS, startNodeRed, type NodeRed } from './support/node-red';
import { freePort } from './support/ports';
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

for (const version of NODE_RED_VERSIONS) {
  describe(`example flows in Node-RED ${version}`, () => {
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
        const rest = type === 'iotmp-server' ? /no device registered|listening/ : /credential|connected/;
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

    it('deploy all together, and the device that flows host connects', async () => {
      const table = deviceTable([{ user: 'demo', device: 'greenhouse', credential: 'green' }]);
      const flow = mergeFlows(examples.map((example) => onPort(example.flow, port))).map((node) => {
        if (node.type === 'iotmp-server') return { ...node, credentials: table };
        return node.type === 'iotmp-client' ? { ...node, credentials: { credential: 'green' } } : node;
      });
      const from = comms.statuses.position;
      assert.deepEqual(await deploy(flow), []);
      assert.deepEqual(invalidNodes(comms, flow), []);
      const streams = flow.filter((node) => node.type === 'iotmp-stream' && node.device === 'greenhouse');
      assert.ok(streams.length > 0);
      for (const { id } of streams) {
        await comms.waitForStatus(id, ({ text }) => text === 'streaming', { from });
      }
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
