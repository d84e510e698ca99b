import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { RawDevice } from '../support/raw-device';
import { Type, type RawMessage } from '../support/raw-message';
import { FlowBench } from './support/flow-bench';
import { clientNode, resourceInNode, serverNode, sinkNode } from './support/flows';

/** A server with one resource, and a device that calls it. */
async function start(properties: Record<string, unknown>): Promise<{ bench: FlowBench; device: RawDevice }> {
  const bench = await FlowBench.start();
  await bench.load(serverNode(bench.port), resourceInNode(properties), sinkNode());
  return { bench, device: await bench.device() };
}

/** Calls a resource of the server; gives the answer. */
async function run(
  device: RawDevice,
  resource: unknown,
  fields: { payload?: unknown; parameters?: unknown } = {},
): Promise<RawMessage> {
  device.send(device.build(Type.RUN, { id: 7, resource, ...fields }));
  const answer = await device.next();
  assert.equal(answer.id, 7);
  return answer;
}

describe('iotmp-resource-in', () => {
  it('emits a call as a message, with its input, path, parameters and caller', async () => {
    const { bench, device } = await start({ resource: 'gpio/:pin' });
    const answer = await run(device, 'gpio/4', { payload: { on: true }, parameters: { fast: 1 } });
    assert.deepEqual([answer.type, answer.payload], [Type.OK, undefined]);
    const { _msgid, ...message } = await bench.box().next();
    assert.equal(typeof _msgid, 'string');
    assert.deepEqual(message, {
      payload: { on: true },
      topic: 'gpio/4',
      path: { pin: '4' },
      params: { fast: 1 },
      user: 'anna',
      device: 'pump',
    });
  });

  it('shows an absent input, and absent parameters, as null', async () => {
    const { bench, device } = await start({});
    await run(device, 'led');
    const message = await bench.box().next();
    assert.deepEqual([message.payload, message.params, message.path], [null, null, {}]);
  });

  it('gives bytes as a Buffer and integers past 2^53 as decimal text', async () => {
    const { bench, device } = await start({});
    await run(device, 'led', { payload: [Buffer.from([1, 2]), 2n ** 60n, 23.4] });
    const { payload } = await bench.box().next();
    assert.deepEqual(payload, [Buffer.from([1, 2]), '1152921504606846976', 23.4]);
    assert.ok(Buffer.isBuffer((payload as unknown[])[0]));
  });

  it('takes the rest of a path by *name', async () => {
    const { bench, device } = await start({ resource: 'files/:drive/*name' });
    await run(device, ['files', 'c', 'a', 'b.txt']);
    assert.deepEqual((await bench.box().next()).path, { drive: 'c', name: 'a/b.txt' });
  });

  it('answers an output at once with null', async () => {
    const { device } = await start({ kind: 'output' });
    const answer = await run(device, 'led');
    assert.deepEqual([answer.type, answer.payload], [Type.OK, null]);
  });

  it('sends clones to all nodes but the first', async () => {
    const bench = await FlowBench.start();
    const wires = [['out', 'other']];
    await bench.load(
      serverNode(bench.port),
      resourceInNode({ reply: 'flow', wires }),
      sinkNode(),
      sinkNode('other'),
    );
    const device = await bench.device();
    device.send(device.build(Type.RUN, { id: 7, resource: 'led', payload: Buffer.from('x') }));
    const [one, other] = [await bench.box().next(), await bench.box('other').next()];
    assert.deepEqual(one, other);
    assert.notEqual(one._iotmp, other._iotmp);
  });

  it('describes its kind and its samples, and enters the flow for neither', async () => {
    const { bench, device } = await start({
      kind: 'inout',
      inSample: '{"on":true}',
      outSample: 'false',
    });
    device.send(device.build(Type.DESCRIBE, { id: 8 }));
    assert.deepEqual((await device.next()).payload, { led: { fn: 4 } });
    device.send(device.build(Type.DESCRIBE, { id: 9, resource: 'led' }));
    assert.deepEqual((await device.next()).payload, { in: { on: true }, out: false });
    await device.barrier();
    assert.equal(bench.box().all.length, 0);
  });

  it('hosts on the device that a client is: the server calls it, and there is no caller to name', async () => {
    const bench = await FlowBench.start();
    const throughClient = { via: 'client', client: 'client', server: '' };
    await bench.load(
      serverNode(bench.port),
      clientNode(bench.port),
      resourceInNode({ ...throughClient }),
      sinkNode(),
    );
    const device = await bench.connectedDevice();
    await device.call('led', { payload: true });
    const { _msgid, ...message } = await bench.box().next();
    assert.equal(typeof _msgid, 'string');
    assert.deepEqual(message, { payload: true, topic: 'led', path: {}, params: null });
  });

  it('is named wrongly: red, with the reason, and the others work', async () => {
    const bench = await FlowBench.start();
    await bench.load(
      serverNode(bench.port),
      resourceInNode({ id: 'bad', resource: '*rest/more' }),
      resourceInNode({ id: 'blank', resource: ' ' }),
      resourceInNode(),
      sinkNode(),
    );
    await bench.status('bad', 'red', 'resource "*rest/more"');
    await bench.status('blank', 'red', 'resource ""');
    assert.equal(bench.log('error', 'bad').length, 1);
    await run(await bench.device(), 'led');
  });

  it('has a name that another one has: red on the second only, until the name is free', async () => {
    const bench = await FlowBench.start();
    const [first, second] = [resourceInNode({ id: 'first' }), resourceInNode({ id: 'second' })];
    const server = serverNode(bench.port);
    await bench.load(server, first, second, sinkNode());
    await bench.status('second', 'red', 'status.nameInUse');
    await bench.status('first', 'green');
    assert.deepEqual(bench.log('error', 'first'), []);
    assert.equal(bench.log('error', 'second').length, 1);
    const { credentials: _, ...unchanged } = server;
    await bench.deploy('nodes', unchanged, { ...first, resource: 'other' }, second, sinkNode());
    await bench.status('second', 'green');
    assert.equal(bench.log('error', 'second').length, 1);
    const device = await bench.device();
    await run(device, 'led');
    assert.equal((await bench.box().next()).topic, 'led');
  });

  it('follows the status of its server', async () => {
    const { bench } = await start({});
    await bench.status('resource-in', 'green', 'status.listening(count=1)');
  });
});
