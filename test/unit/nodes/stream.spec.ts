import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { RawDevice } from '../support/raw-device';
import { Type } from '../support/raw-message';
import { FlowBench } from './support/flow-bench';
import {
  catchNodes,
  clientNode,
  completeNodes,
  devicesOf,
  PUMP,
  resourceOutNode,
  serverNode,
  sinkNode,
  streamNode,
} from './support/flows';

/** A server with a stream node, and a device whose output `level` it streams. */
async function start(
  properties: Record<string, unknown> = {},
): Promise<{ bench: FlowBench; device: RawDevice }> {
  const bench = await FlowBench.start();
  await bench.load(
    serverNode(bench.port),
    streamNode(properties),
    sinkNode(),
    ...catchNodes(),
    ...completeNodes('stream'),
  );
  const device = await bench.device(PUMP, { level: { fn: 3, run: () => ({ m: 1 }) } });
  return { bench, device };
}

/** The id under which the server has the stream open. */
async function streamId(device: RawDevice): Promise<number> {
  const { id } = await device.next(Type.START_STREAM);
  return id!;
}

describe('iotmp-stream', () => {
  it('emits samples', async () => {
    const { bench, device } = await start();
    const before = Date.now();
    const { _msgid, timestamp, ...message } = await bench.box().next();
    assert.equal(typeof _msgid, 'string');
    assert.ok(typeof timestamp === 'number' && timestamp >= before && timestamp <= Date.now());
    assert.deepEqual(message, {
      payload: { m: 1 },
      topic: 'anna/pump/level',
      user: 'anna',
      device: 'pump',
      resource: 'level',
    });
    const id = await streamId(device);
    device.sample(id, 22);
    device.sample(id, undefined);
    assert.equal((await bench.box().next()).payload, 22);
    assert.equal((await bench.box().next()).payload, null);
    await bench.status('stream', 'green', 'status.streaming');
  });

  it('asks for an interval', async () => {
    const { device } = await start({ interval: '1500' });
    assert.deepEqual((await device.next(Type.START_STREAM)).parameters, { interval: 1500 });
  });

  it('gives every flow samples of its own', async () => {
    const bench = await FlowBench.start();
    await bench.load(
      serverNode(bench.port),
      streamNode({ id: 'one' }),
      streamNode({ id: 'two', wires: [['other']] }),
      sinkNode(),
      sinkNode('other'),
    );
    await bench.device(PUMP, { level: { fn: 3, run: () => ({ list: [Buffer.from('x')] }) } });
    const one = await bench.box().next();
    const two = await bench.box('other').next();
    (one.payload as { list: unknown[] }).list.push('changed');
    assert.deepEqual(two.payload, { list: [Buffer.from('x')] });
    assert.deepEqual(bench.server().lastKnown(PUMP)?.get('level')?.output, { list: [Buffer.from('x')] });
  });

  it('writes messages into the stream', async () => {
    const { bench, device } = await start();
    const id = await streamId(device);
    await bench.status('stream', 'green');
    bench.send('stream', { payload: { set: 5 }, topic: 'kept' });
    const written = await device.next(Type.STREAM_DATA);
    assert.deepEqual([written.id, written.payload], [id, { set: 5 }]);
    assert.equal((await bench.box('completed').next()).topic, 'kept');
  });

  it('refuses to write what cannot be sent', async () => {
    const { bench } = await start();
    await bench.status('stream', 'green');
    bench.send('stream', { payload: (): number => 1 });
    assert.equal((await bench.error()).code, 'IOTMP_ERR_ENCODE');
  });

  it('refuses to write while the device is away, and while it is stopped', async () => {
    const { bench } = await start({ device: 'lamp' });
    await bench.status('stream', 'yellow', 'status.offline');
    bench.send('stream', { payload: 1 });
    assert.equal((await bench.error()).code, 'IOTMP_ERR_OFFLINE');
    bench.send('stream', { action: 'stop' });
    bench.send('stream', { payload: 1 });
    assert.equal((await bench.error()).code, 'IOTMP_ERR_CLOSED');
    await bench.status('stream', 'grey', 'status.stopped');
  });

  it('starts and stops by messages, which are not written', async () => {
    const { bench, device } = await start({ autostart: false });
    await bench.status('stream', 'grey', 'status.stopped');
    await device.barrier();
    assert.deepEqual(device.acts, []);
    bench.send('stream', { action: 'start', payload: 1 });
    const id = await streamId(device);
    await bench.box().next();
    bench.send('stream', { action: 'stop', payload: 2 });
    assert.equal((await device.next(Type.STOP_STREAM)).id, id);
    bench.send('stream', { action: 'start' });
    await streamId(device);
    await bench.box().next();
    for (let i = 0; i < 3; i++) await bench.box('completed').next();
    assert.deepEqual(device.all(Type.STREAM_DATA), []);
  });

  it('opens one stream, whatever the order of many starts and stops', async () => {
    const { bench, device } = await start({ autostart: false });
    for (const action of ['start', 'start', 'stop', 'stop', 'start', 'start'])
      bench.send('stream', { action });
    await bench.box().next();
    bench.send('stream', { action: 'stop' });
    await device.next(Type.STOP_STREAM);
    await device.barrier();
    assert.equal(device.all(Type.START_STREAM).length, device.all(Type.STOP_STREAM).length);
    assert.equal(device.streams.size, 0);
  });

  for (const action of ['begin', null, 1, {}]) {
    it(`refuses the action ${JSON.stringify(action)}`, async () => {
      const { bench, device } = await start();
      await bench.status('stream', 'green');
      bench.send('stream', { action, payload: 1 });
      const error = await bench.error();
      assert.equal(error.code, 'IOTMP_ERR_CONFIG');
      assert.match(error.message, /errors\.unknownAction\(action=/);
      await device.barrier();
      assert.deepEqual(device.all(Type.STREAM_DATA), []);
    });
  }

  it('ends its stream when it is removed', async () => {
    const { bench, device } = await start();
    const id = await streamId(device);
    await bench.box().next();
    const { credentials: _, ...server } = serverNode(bench.port);
    await bench.deploy('nodes', server, sinkNode());
    assert.equal((await device.next(Type.STOP_STREAM)).id, id);
  });

  it('names its target by the context and the environment, at each start', async () => {
    process.env.IOTMP_TEST_DEVICE = 'pump';
    const { bench, device } = await start({
      autostart: false,
      device: 'IOTMP_TEST_DEVICE',
      deviceType: 'env',
      resource: 'name',
      resourceType: 'flow',
    });
    for (const name of ['level', 'depth']) {
      device.resources.set(name, { fn: 3, run: () => name });
      bench.node('stream').context().flow.set('name', name);
      bench.send('stream', { action: 'start' });
      assert.equal((await bench.box().next()).topic, `anna/pump/${name}`);
    }
  });

  it('means the first user by a blank one, as the device table has it after a deploy', async () => {
    const { bench } = await start();
    await bench.box().next();
    const bert = { user: 'bert', device: 'pump', credential: 'b' };
    await bench.deploy(
      'nodes',
      serverNode(bench.port, { credentials: devicesOf(bert, PUMP) }),
      streamNode(),
      sinkNode(),
      // They take their time: the stream is opened before all of them are there.
      ...Array.from({ length: 50 }, (_, i) => sinkNode(`sink${i}`)),
    );
    await bench.device(bert, { level: { fn: 3, run: () => 'of bert' } });
    const message = await bench.box().next(({ payload }) => payload === 'of bert');
    assert.equal(message.topic, 'bert/pump/level');
  });

  it('means the user of the first device by a blank one, where none is registered', async () => {
    const bench = await FlowBench.start();
    await bench.load(serverNode(bench.port, { anonymous: true, credentials: {} }), streamNode(), sinkNode());
    await bench.device({ user: 'carl' }, { level: { fn: 3, run: () => 7 } });
    const { payload, topic } = await bench.box().next();
    assert.deepEqual([payload, topic], [7, 'anonymous/pump/level']);
  });

  it('streams a resource of the server through a client', async () => {
    const bench = await FlowBench.start();
    const throughClient = { via: 'client', client: 'client', server: '', user: 'x', device: 'y' };
    await bench.load(
      serverNode(bench.port),
      clientNode(bench.port),
      resourceOutNode({ initial: '1' }),
      streamNode(throughClient),
      sinkNode(),
    );
    const { _msgid, timestamp, ...message } = await bench.box().next();
    assert.deepEqual(message, { payload: 1, topic: 'level', resource: 'level' });
    assert.equal(typeof timestamp, 'number');
    bench.send('resource-out', { payload: 2 });
    assert.equal((await bench.box().next()).payload, 2);
    await bench.status('stream', 'green', 'status.streaming');
  });

  for (const [name, properties, reason] of [
    ['no device', { device: '' }, 'errors.noDevice'],
    ['no resource', { resource: '' }, 'errors.noResource'],
    ['a field that cannot be evaluated', { resource: '$no(', resourceType: 'jsonata' }, 'resource: '],
  ] as const) {
    it(`has ${name}: red, with a line in the log, and start fails`, async () => {
      const { bench } = await start(properties);
      await bench.status('stream', 'red', reason);
      assert.equal(bench.log('error', 'stream').length, 1);
      bench.send('stream', { action: 'start' });
      assert.equal((await bench.error()).code, 'IOTMP_ERR_CONFIG');
    });
  }

  it('has an interval that is no whole number: red', async () => {
    const { bench, device } = await start({ interval: '-1' });
    await bench.status('stream', 'red', 'interval must be');
    await device.barrier();
    assert.deepEqual(device.acts, []);
  });
});
