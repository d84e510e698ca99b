import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { TopicMessage } from '../../../src';
import { FlowBench, type Message } from './support/flow-bench';
import { callNode, catchNodes, clientNode, serverNode, sinkNode } from './support/flows';
import { Recording } from './support/recording';

const PUMP = { user: 'anna', device: 'pump' };

/** A client of the server in the same Node-RED, and a call node that asks a service through it. */
async function start(properties: Record<string, unknown>): Promise<FlowBench> {
  const bench = await FlowBench.start();
  const node = callNode({ via: 'client', server: '', client: 'client', resource: 'config', ...properties });
  await bench.load(serverNode(bench.port), clientNode(bench.port), node, sinkNode(), ...catchNodes());
  await bench.connected();
  return bench;
}

async function ask(bench: FlowBench, message: Record<string, unknown> = {}): Promise<Message> {
  bench.send('call', message);
  return bench.box().next();
}

describe('iotmp-call of a service through a client', () => {
  it('sets a property of the device that the client is', async () => {
    const bench = await start({ service: 'property', action: 'set' });
    const { payload, resource, user } = await ask(bench, { payload: { rate: 1 } });
    assert.deepEqual([payload, resource, user], [{ rate: 1 }, 'config', undefined]);
    assert.deepEqual((await bench.services().properties.get(PUMP, 'config'))?.value, { rate: 1 });
  });

  it('gets one, and null where there is none', async () => {
    const bench = await start({ service: 'property', action: 'get' });
    assert.equal((await ask(bench)).payload, null);
    await bench.services().properties.set(PUMP, 'config', 'x');
    assert.equal((await ask(bench)).payload, 'x');
  });

  it('writes to a bucket', async () => {
    const bench = await start({ service: 'bucket', resource: 'climate' });
    await ask(bench, { payload: { t: 20 } });
    const { rows } = await bench.services().buckets.range({ user: 'anna', bucket: 'climate' });
    assert.deepEqual(
      rows.map(({ device, value }) => [device, value]),
      [['pump', { t: 20 }]],
    );
  });

  it('calls an endpoint, and fails as the server says', async () => {
    const bench = await start({ service: 'endpoint', resource: 'greet' });
    bench.send('call', {});
    const { code, cause } = await bench.error();
    assert.equal(code, 'IOTMP_ERR_REMOTE');
    assert.equal((cause as { statusCode: unknown }).statusCode, 404);
    bench
      .services()
      .endpoints.host('greet', ({ payload, caller }) => ({ payload, caller: caller?.device ?? null }));
    assert.deepEqual((await ask(bench, { payload: 1 })).payload, { payload: 1, caller: 'pump' });
  });

  it('publishes to a topic', async () => {
    const bench = await start({ service: 'topic', resource: 'home/light' });
    const heard = new Recording<TopicMessage>('a message');
    bench.services().topics.subscribe('anna', '#', (message) => heard.push(message));
    assert.equal((await ask(bench, { payload: 'on' })).payload, 'on');
    const { topic, payload, device } = await heard.next();
    assert.deepEqual([topic, payload, device], ['home/light', 'on', 'pump']);
  });

  const serverOnly = [
    ['property', 'list'],
    ['property', 'delete'],
    ['bucket', 'read'],
    ['bucket', 'aggregate'],
  ];
  for (const [service, action] of serverOnly) {
    it(`has no ${service}.${action}: red, and every message fails`, async () => {
      const bench = await start({ service, action });
      await bench.status('call', 'red', 'errors.throughServer');
      bench.send('call', { payload: 1 });
      assert.equal((await bench.error()).code, 'IOTMP_ERR_CONFIG');
    });
  }
});
