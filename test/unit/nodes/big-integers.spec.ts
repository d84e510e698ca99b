import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Type } from '../support/raw-message';
import { FlowBench } from './support/flow-bench';
import {
  callNode,
  catchNodes,
  clientNode,
  eventsNode,
  PUMP,
  resourceInNode,
  resourceOutNode,
  serverNode,
  sinkNode,
  streamNode,
  type NodeConfig,
} from './support/flows';

/** The id of a sensor on a 1-wire bus, and what flows are to get of it. */
const ROM = 2026619832316723752n;
const VALUE = { id: ROM, list: [-(2n ** 60n), 12] };
const SHOWN = { id: '2026619832316723752', list: ['-1152921504606846976', 12] };

async function start(...nodes: readonly NodeConfig[]): Promise<FlowBench> {
  const bench = await FlowBench.start();
  await bench.load(serverNode(bench.port), ...nodes, sinkNode(), ...catchNodes());
  return bench;
}

/** What the call of a service gives. */
async function asked(service: string, action: string, resource = ''): Promise<unknown> {
  const bench = await start(callNode({ service, action, resource, device: 'pump' }));
  const { buckets, properties } = bench.services();
  await properties.set(PUMP, 'rom', VALUE);
  await buckets.write({ user: 'anna', bucket: 'log' }, [{ device: 'pump', value: VALUE }], { create: true });
  bench.send('call', {});
  return (await bench.box().next()).payload;
}

describe('integers past 2^53 in messages are their decimal text', () => {
  it('in the answer of a device', async () => {
    const bench = await start(callNode());
    await bench.device(PUMP, { level: { fn: 3, run: () => VALUE } });
    bench.send('call', {});
    assert.deepEqual((await bench.box().next()).payload, SHOWN);
  });

  it('in the answer of a server, through a client', async () => {
    const bench = await FlowBench.start();
    const node = callNode({ via: 'client', server: '', client: 'client' });
    await bench.load(serverNode(bench.port), clientNode(bench.port), node, sinkNode(), ...catchNodes());
    await bench.connected();
    bench.server().offer('level', { kind: 'output', run: () => VALUE });
    bench.send('call', {});
    assert.deepEqual((await bench.box().next()).payload, SHOWN);
  });

  it('in the samples of a device', async () => {
    const bench = await start(streamNode());
    await bench.device(PUMP, { level: { fn: 3, run: () => VALUE } });
    assert.deepEqual((await bench.box().next()).payload, SHOWN);
  });

  it('in the samples of a server, through a client', async () => {
    const bench = await FlowBench.start();
    const node = streamNode({ via: 'client', server: '', client: 'client' });
    const initial = '{"id":2026619832316723752,"list":[-1152921504606846976,12]}';
    const nodes = [resourceOutNode({ initial }), clientNode(bench.port), node, sinkNode()];
    await bench.load(serverNode(bench.port), ...nodes, ...catchNodes());
    assert.deepEqual((await bench.box().next()).payload, SHOWN);
  });

  it('in events', async () => {
    const bench = await start(eventsNode({ events: ['device_property_update'] }));
    await bench.services().properties.set(PUMP, 'rom', VALUE);
    assert.deepEqual(((await bench.box().next()).payload as { value: unknown }).value, SHOWN);
  });

  it('in calls that enter a flow, with their parameters', async () => {
    const bench = await start(resourceInNode({ resource: 'led' }));
    const device = await bench.device();
    device.send(device.build(Type.RUN, { id: 7, resource: 'led', payload: VALUE, parameters: { of: ROM } }));
    const { payload, params } = await bench.box().next();
    assert.deepEqual([payload, params], [SHOWN, { of: SHOWN.id }]);
  });

  it('in calls of an endpoint', async () => {
    const bench = await start(resourceInNode({ resource: 'greet', kind: 'endpoint' }));
    await bench.services().endpoints.call('anna', 'greet', VALUE);
    assert.deepEqual((await bench.box().next()).payload, SHOWN);
  });

  it('in a property', async () => {
    assert.deepEqual(await asked('property', 'get', 'rom'), SHOWN);
  });

  it('in a list of properties', async () => {
    const list = (await asked('property', 'list')) as { value: unknown }[];
    assert.deepEqual(
      list.map(({ value }) => value),
      [SHOWN],
    );
  });

  it('in rows of buckets', async () => {
    const rows = (await asked('bucket', 'read', 'log')) as { value: unknown }[];
    assert.deepEqual(
      rows.map(({ value }) => value),
      [SHOWN],
    );
  });

  it('in what a device says of an error', async () => {
    const bench = await start(callNode());
    const device = await bench.device(PUMP, { level: { fn: 3, run: () => 1 } });
    device.serves = false;
    bench.send('call', { payload: 1 });
    const { id } = await device.next(Type.RUN);
    device.send(device.build(Type.ERROR, { id: id!, parameters: 500, payload: VALUE }));
    assert.deepEqual((await bench.error()).cause, { statusCode: 500, payload: SHOWN });
  });
});

describe('integers past 2^53 from flows', () => {
  it('go to devices as integers, where a flow has them as BigInt', async () => {
    const bench = await start(callNode());
    const device = await bench.device(PUMP, { level: { fn: 4, run: () => 1 } });
    device.serves = false;
    bench.send('call', { payload: ROM });
    assert.equal((await device.next(Type.RUN)).payload, ROM);
  });

  for (const [payloadType, payload, expected] of [
    ['num', '2026619832316723752', ROM],
    ['json', '{"id":2026619832316723752}', { id: ROM }],
    ['json', '[89014103211118510720]', ['89014103211118510720']],
  ] as const) {
    it(`keep all digits in a field of type ${payloadType}: ${payload}`, async () => {
      const bench = await start(callNode({ payload, payloadType }));
      const device = await bench.device(PUMP, { level: { fn: 4, run: () => 1 } });
      device.serves = false;
      bench.send('call', {});
      assert.deepEqual((await device.next(Type.RUN)).payload, expected);
    });
  }
});
