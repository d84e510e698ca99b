import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { Comms } from './support/comms';
import { readDefinitions } from './support/definitions';
import type { FlowNode } from './support/flow';
import { hasMosquitto, startMosquitto } from './support/mosquitto';
import { NODE_RED_VERSIONS, startNodeRed, type NodeRed } from './support/node-red';
import { freePort } from './support/ports';

const known = new Set(readDefinitions().flatMap(({ properties }) => properties));
const place = { z: 'tab', x: 100, y: 100 };
const withMosquitto = hasMosquitto ? describe : describe.skip;

function inject(id: string, payload: string, to: string): FlowNode {
  const text = { payload, payloadType: 'json', topic: '' };
  const props = [{ p: 'payload' }];
  return { id, type: 'inject', ...place, name: id, props, repeat: '', once: false, ...text, wires: [[to]] };
}

function debug(name: string): FlowNode {
  const shown = { active: true, tosidebar: true, complete: 'payload', targetType: 'msg' };
  return { id: name, type: 'debug', ...place, name, ...shown, wires: [] };
}

/** Flows that publish on either side, and listen on both. All use one connection to the broker. */
function flowOf(tcpPort: number, mqttPort: number, protocolVersion: string): FlowNode[] {
  assert.ok(known.has('mqtt') && known.has('mqttPrefix') && known.has('service'));
  const through = { via: 'server', server: 'server', client: '' };
  return [
    { id: 'tab', type: 'tab', label: 'MQTT' },
    {
      id: 'broker',
      type: 'mqtt-broker',
      name: '',
      broker: '127.0.0.1',
      port: String(mqttPort),
      autoConnect: true,
      protocolVersion,
    },
    {
      id: 'server',
      type: 'iotmp-server',
      enabled: true,
      host: '127.0.0.1',
      tcpPort,
      wsPath: '',
      storage: 'memory',
      mqtt: 'broker',
      mqttPrefix: 'iotmp/{user}/',
    },
    inject('publish here', '{"on":true}', 'call'),
    {
      id: 'call',
      type: 'iotmp-call',
      ...place,
      ...through,
      service: 'topic',
      action: 'publish',
      user: 'anna',
      userType: 'str',
      resource: 'home/light',
      resourceType: 'str',
      wires: [[]],
    },
    {
      id: 'events',
      type: 'iotmp-events',
      ...place,
      ...through,
      events: ['device_topic_publish'],
      wires: [['here']],
    },
    debug('here'),
    inject('publish there', '{"open":1}', 'out'),
    {
      id: 'out',
      type: 'mqtt out',
      ...place,
      topic: 'iotmp/anna/home/door',
      qos: '0',
      retain: '',
      broker: 'broker',
      wires: [],
    },
    {
      id: 'in',
      type: 'mqtt in',
      ...place,
      topic: 'iotmp/+/#',
      qos: '0',
      datatype: 'auto-detect',
      broker: 'broker',
      inputs: 0,
      wires: [['there']],
    },
    debug('there'),
  ];
}

/** What a debug node has shown, without what differs from run to run. */
function shownAt(comms: Comms, node: string): unknown[] {
  return comms.debug.entries.filter(({ name }) => name === node).map(({ value }) => value);
}

withMosquitto('topics and Mosquitto', function () {
  this.timeout(120_000);

  for (const version of NODE_RED_VERSIONS) {
    describe(`in Node-RED ${version}`, () => {
      let mosquitto: { stop(): Promise<void> };
      let nodeRed: NodeRed;
      let comms: Comms;

      before(async () => {
        const port = await freePort();
        mosquitto = await startMosquitto(port);
        nodeRed = await startNodeRed({
          version,
          flows: flowOf(await freePort(), port, version === 5 ? '5' : '4'),
          credentials: {
            server: { devices: JSON.stringify([{ user: 'anna', device: 'pump', credential: 'secret' }]) },
          },
        });
        comms = await nodeRed.comms();
        await comms.waitForStatus('in', ({ fill }) => fill === 'green');
      });
      after(async () => {
        await nodeRed.stop();
        await mosquitto.stop();
      });

      it('share messages in both directions, each one once', async () => {
        for (let round = 0; round < 3; round++) {
          const from = comms.debug.position;
          await nodeRed.inject('publish here');
          await comms.waitForDebug('there', (value) => JSON.stringify(value) === '{"on":true}', { from });
          await nodeRed.inject('publish there');
          await comms.waitForDebug('here', (value) => JSON.stringify(value).includes('home/door'), { from });
        }
        const here = shownAt(comms, 'here') as { topic: string; payload: unknown }[];
        const [light, door] = [
          { topic: 'home/light', payload: { on: true } },
          { topic: 'home/door', payload: { open: 1 } },
        ];
        assert.deepEqual(
          here.map(({ topic, payload }) => ({ topic, payload })),
          [light, door, light, door, light, door],
        );
        const counts = [light, door].map(
          ({ payload }) =>
            shownAt(comms, 'there').filter((value) => JSON.stringify(value) === JSON.stringify(payload))
              .length,
        );
        assert.deepEqual(counts, [3, 3]);
        assert.deepEqual(nodeRed.errors(), []);
      });
    });
  }
});
