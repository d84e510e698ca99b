import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { NodeInitializer } from 'node-red';
import registerMqtt from '@node-red/nodes/core/network/10-mqtt.js';
import type { TopicMessage } from '../../../src';
import { FlowBench } from './support/flow-bench';
import { catchNodes, eventsNode, serverNode, sinkNode, type NodeConfig } from './support/flows';
import { MqttBroker } from './support/mqtt-broker';
import { Recording } from './support/recording';

const mqtt: NodeInitializer = registerMqtt;

/** A core config node for the broker of the test. */
function brokerNode(port: number, properties: Record<string, unknown> = {}): NodeConfig {
  return {
    id: 'mqtt',
    type: 'mqtt-broker',
    name: '',
    broker: '127.0.0.1',
    port: String(port),
    clientid: '',
    autoConnect: true,
    usetls: false,
    protocolVersion: '4',
    keepalive: '60',
    cleansession: true,
    autoUnsubscribe: true,
    ...properties,
  };
}

interface Bridged {
  readonly bench: FlowBench;
  readonly broker: MqttBroker;
  /** Messages of anna's topics. */
  readonly heard: Recording<TopicMessage>;
}

async function start(properties: Record<string, unknown> = {}, filter = 'iotmp/#'): Promise<Bridged> {
  const broker = await MqttBroker.start();
  const bench = await FlowBench.start({}, [mqtt]);
  await bench.load(
    brokerNode(broker.port),
    serverNode(bench.port, { mqtt: 'mqtt', ...properties }),
    eventsNode({ events: ['device_topic_publish'] }),
    sinkNode(),
    ...catchNodes(),
  );
  await broker.subscribed(filter);
  const heard = new Recording<TopicMessage>('a message of a topic');
  bench.services().topics.subscribe('anna', '#', (message) => heard.push(message));
  return { bench, broker, heard };
}

describe('the bridge to MQTT', () => {
  it('takes messages to the broker and back', async () => {
    const { bench, broker, heard } = await start();
    await bench.services().topics.publish('anna', 'door', { open: true });
    const { topic, text } = await broker.published.next();
    assert.deepEqual([topic, text], ['iotmp/door', '{"open":true}']);
    assert.deepEqual((await heard.next()).payload, { open: true });
    await broker.publish('iotmp/light/1', 'on');
    const { user, topic: inner, payload } = await heard.next();
    assert.deepEqual([user, inner, payload], ['anna', 'light/1', 'on']);
    const [door, light] = [await bench.box().next(), await bench.box().next()];
    assert.deepEqual([door.topic, light.topic], ['device_topic_publish', 'device_topic_publish']);
  });

  it('sends nothing to and fro', async () => {
    const { bench, broker, heard } = await start();
    const { topics } = bench.services();
    for (let i = 0; i < 20; i++) {
      await topics.publish('anna', 'count', i);
      await broker.publish('iotmp/count', `here ${i}`);
    }
    await broker.published.next(({ text }) => text === '19');
    await heard.next(({ payload }) => payload === 'here 19');
    // What came last went around, if anything does.
    await topics.publish('anna', 'end', 1);
    await broker.published.next(({ topic }) => topic === 'iotmp/end');
    await broker.publish('iotmp/end', 'over');
    await heard.next(({ payload }) => payload === 'over');
    assert.equal(heard.all.filter(({ topic }) => topic === 'count').length, 40);
    const fromHere = broker.published.all.filter(({ isFromClient }) => isFromClient);
    assert.equal(fromHere.length, 21);
  });

  it('keeps the topics of other users to itself, unless the prefix names them', async () => {
    const { bench, broker } = await start();
    await bench.services().topics.publish('bob', 'secret', 1);
    await bench.services().topics.publish('anna', 'known', 1);
    assert.equal((await broker.published.next()).topic, 'iotmp/known');
  });

  it('shares the topics of all users with {user} in the prefix', async () => {
    const filter = 'all/+/#';
    const { bench, broker, heard } = await start({ mqttPrefix: 'all/{user}' }, filter);
    await bench.services().topics.publish('bob', 'x', 'text');
    const { topic, text } = await broker.published.next();
    assert.deepEqual([topic, text], ['all/bob/x', 'text']);
    await broker.publish('all/anna/y', '1');
    assert.deepEqual((await heard.next()).payload, 1);
  });

  it('keeps what is retained, on both sides', async () => {
    const { bench, broker, heard } = await start();
    const { topics } = bench.services();
    await topics.publish('anna', 'state', 'on', { retain: true });
    assert.equal((await broker.published.next()).retain, true);
    assert.equal((await heard.next()).payload, 'on');
    await bench.deploy('full', ...flowWith(bench, broker, { mqttPrefix: 'iotmp' }));
    await broker.subscribed('iotmp/#');
    await topics.publish('anna', 'after', 1);
    await broker.published.next(({ topic }) => topic === 'iotmp/after');
  });

  it('learns of retained messages that come live, and of those that are removed', async () => {
    const { bench, broker, heard } = await start();
    const { topics } = bench.services();
    const kept = async (): Promise<Record<string, unknown>> => {
      const found: [string, unknown][] = [];
      const last = Promise.withResolvers<undefined>();
      const subscription = topics.subscribe('anna', '#', ({ topic, payload }) => {
        if (topic === 'sync') last.resolve(undefined);
        else found.push([topic, payload]);
      });
      // It comes behind what is retained.
      await topics.publish('anna', 'sync', 1);
      await last.promise;
      subscription.close();
      return Object.fromEntries(found);
    };
    await broker.publish('iotmp/door', 'open', true);
    await broker.publish('iotmp/cmd', 'unlock');
    await heard.next(({ topic }) => topic === 'cmd');
    await broker.subscribed('iotmp/door');
    await broker.subscribed('iotmp/cmd');
    while (Object.keys(await kept()).length === 0);
    assert.deepEqual(await kept(), { door: 'open' });
    await broker.publish('iotmp/door', '', true);
    await heard.next(({ payload }) => payload === null);
    while (Object.keys(await kept()).length > 0);
    assert.equal(heard.all.filter(({ topic }) => topic === 'door').length, 2);
  });

  it('goes on after a deploy, with another prefix too', async () => {
    const { bench, broker, heard } = await start();
    const { topics } = bench.services();
    await bench.deploy('full', ...flowWith(bench, broker, { mqttPrefix: 'other/' }));
    await broker.subscribed('other/#');
    assert.equal(bench.services().topics, topics);
    await topics.publish('anna', 'x', 1);
    assert.equal((await broker.published.next()).topic, 'other/x');
    assert.equal((await heard.next()).payload, 1);
    await broker.publish('iotmp/x', 'old');
    await broker.publish('other/x', 'new');
    assert.equal((await heard.next()).payload, 'new');
  });

  it('is not there: red with the reason, and the server goes on', async () => {
    const bench = await FlowBench.start({}, [mqtt]);
    await bench.load(serverNode(bench.port, { mqtt: 'gone' }), eventsNode(), sinkNode());
    await bench.device();
    await bench.status('events', 'red', 'errors.mqttMissing');
    assert.equal(bench.log('error', 'server').length, 1);
  });

  it('has a prefix that is none: red with the reason', async () => {
    const broker = await MqttBroker.start();
    const bench = await FlowBench.start({}, [mqtt]);
    await bench.load(
      brokerNode(broker.port),
      serverNode(bench.port, { mqtt: 'mqtt', mqttPrefix: 'a/+/' }),
      eventsNode(),
      sinkNode(),
    );
    await bench.status('events', 'red', '"a/+/"');
    await bench.device();
  });

  it('has messages wait that are to be kept while the broker is away, and warns once of others', async () => {
    const broker = await MqttBroker.start();
    const bench = await FlowBench.start({}, [mqtt]);
    const server = serverNode(bench.port, { mqtt: 'mqtt' });
    const connection = brokerNode(broker.port, { autoConnect: false });
    await bench.load(connection, server, eventsNode(), sinkNode());
    const { topics } = bench.services();
    await topics.publish('anna', 'x', 1);
    await topics.publish('anna', 'x', 2);
    await topics.publish('anna', 'state', 'on', { retain: true });
    assert.equal((await bench.box().next()).topic, 'device_topic_publish');
    assert.deepEqual(bench.log('warn', 'server'), ['bridge: there is no connection: messages are let go']);
    const node: unknown = bench.node('mqtt');
    (node as { connect(): void }).connect();
    const { topic, text, retain } = await broker.published.next();
    assert.deepEqual([topic, text, retain], ['iotmp/state', 'on', true]);
    assert.equal(bench.log('warn', 'server').length, 2);
  });
});

/** The flow of a test with other properties of its server. */
function flowWith(bench: FlowBench, broker: MqttBroker, properties: Record<string, unknown>): NodeConfig[] {
  return [
    brokerNode(broker.port),
    serverNode(bench.port, { mqtt: 'mqtt', ...properties }),
    eventsNode({ events: ['device_topic_publish'] }),
    sinkNode(),
    ...catchNodes(),
  ];
}
