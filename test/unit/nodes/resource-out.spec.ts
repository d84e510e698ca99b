import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, it } from 'mocha';
import { cleanUp } from '../../support/clean-up';
import type { RawDevice } from '../support/raw-device';
import { Type } from '../support/raw-message';
import { FlowBench } from './support/flow-bench';
import {
  catchNodes,
  clientNode,
  completeNodes,
  resourceOutNode,
  serverNode,
  sinkNode,
} from './support/flows';

async function start(
  properties: Record<string, unknown> = {},
): Promise<{ bench: FlowBench; device: RawDevice }> {
  const bench = await FlowBench.start();
  await bench.load(
    serverNode(bench.port),
    resourceOutNode(properties),
    ...catchNodes(),
    ...completeNodes('resource-out'),
  );
  return { bench, device: await bench.device() };
}

/** Reads the output as a device does. */
async function read(device: RawDevice): Promise<unknown> {
  device.send(device.build(Type.RUN, { id: 7, resource: 'level' }));
  const answer = await device.next(Type.OK);
  return answer.payload;
}

/** Gives the node a message, and waits until it has dealt with it. */
async function set(bench: FlowBench, message: Record<string, unknown>): Promise<void> {
  bench.send('resource-out', message);
  await bench.box('completed').next();
}

describe('iotmp-resource-out', () => {
  it('warns of no leak, however many of them host on one server', async () => {
    const warnings: string[] = [];
    const listen = (warning: Error): number => warnings.push(`${warning.name}: ${warning.message}`);
    process.on('warning', listen);
    cleanUp(() => process.off('warning', listen));
    const bench = await FlowBench.start();
    const nodes = Array.from({ length: 30 }, (_, index) => ({ ...resourceOutNode({}), id: `out${index}` }));
    await bench.load(serverNode(bench.port), ...nodes);
    await nextTurn();
    assert.deepEqual(warnings, []);
  });

  it('gives its initial value, then the last payload', async () => {
    const { bench, device } = await start({ initial: '{"level":1}' });
    assert.deepEqual(await read(device), { level: 1 });
    await set(bench, { payload: { level: 2, at: new Date(0) } });
    assert.deepEqual(await read(device), { level: 2, at: '1970-01-01T00:00:00.000Z' });
  });

  it('is null before its first message, and for a message without payload', async () => {
    const { bench, device } = await start();
    assert.equal(await read(device), null);
    await set(bench, { payload: 5 });
    await set(bench, { topic: 'no payload' });
    assert.equal(await read(device), null);
  });

  for (const [initial, value] of [
    [false, false],
    ['false', false],
    [0, 0],
    ['"text"', 'text'],
  ]) {
    it(`takes ${JSON.stringify(initial)} as initial value`, async () => {
      const { device } = await start({ initial });
      assert.equal(await read(device), value);
    });
  }

  it('does not change when the message is changed later', async () => {
    const { bench, device } = await start();
    const payload = { list: [1] };
    await set(bench, { payload });
    payload.list.push(2);
    assert.deepEqual(await read(device), { list: [1] });
  });

  it('sends each value to event streams, and its value at the start', async () => {
    const { bench, device } = await start({ initial: '1' });
    device.send(device.build(Type.START_STREAM, { id: 9, resource: 'level' }));
    assert.equal((await device.next(Type.STREAM_DATA)).payload, 1);
    await set(bench, { payload: 2 });
    await set(bench, { payload: 2 });
    await set(bench, { payload: 'three' });
    await device.barrier();
    assert.deepEqual(
      device.all(Type.STREAM_DATA).map(({ id, payload }) => [id, payload]),
      [
        [9, 1],
        [9, 2],
        [9, 2],
        [9, 'three'],
      ],
    );
  });

  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  for (const [name, payload] of [
    ['a function', (): number => 1],
    ['a cycle', cycle],
    ['a symbol', { deep: Symbol('x') }],
    ['an invalid date', new Date(Number.NaN)],
    ['an integer past 64 bits', 2n ** 70n],
  ] as const) {
    it(`refuses ${name}: the error goes to Catch, and the value stays`, async () => {
      const { bench, device } = await start({ initial: '1' });
      bench.send('resource-out', { payload, topic: 'kept' });
      const error = await bench.error();
      assert.deepEqual([error.code, error.msg.topic], ['IOTMP_ERR_ENCODE', 'kept']);
      assert.equal(await read(device), 1);
      assert.equal(bench.box('completed').all.length, 0);
    });
  }

  it('takes its value from a typed field: message, context, text, number, expression', async () => {
    const bench = await FlowBench.start();
    const typed = (valueType: string, value: string): ReturnType<typeof resourceOutNode> =>
      resourceOutNode({ id: valueType, resource: valueType, valueType, value });
    const fields: [string, string, unknown][] = [
      ['msg', 'data.level', 4],
      ['flow', 'kept', 'of the flow'],
      ['global', 'kept', { of: 'all' }],
      ['str', 'fixed', 'fixed'],
      ['num', '23.4', 23.4],
      ['bool', 'true', true],
      ['json', '{"a":[1]}', { a: [1] }],
      ['jsonata', 'data.level * 2', 8],
    ];
    await bench.load(
      serverNode(bench.port),
      ...fields.map(([type, value]) => typed(type, value)),
      ...completeNodes(...fields.map(([type]) => type)),
    );
    bench.node('flow').context().flow.set('kept', 'of the flow');
    bench.node('global').context().global.set('kept', { of: 'all' });
    const device = await bench.device();
    for (const [type, , expected] of fields) {
      bench.send(type, { data: { level: 4 } });
      await bench.box('completed').next();
      device.send(device.build(Type.RUN, { id: 7, resource: type }));
      assert.deepEqual((await device.next()).payload, expected, type);
    }
  });

  it('has a field that cannot be evaluated: CONFIG for Catch, and the value stays', async () => {
    const { bench, device } = await start({ valueType: 'jsonata', value: '$nope(', initial: '1' });
    bench.send('resource-out', {});
    const error = await bench.error();
    assert.equal(error.code, 'IOTMP_ERR_CONFIG');
    assert.match(error.message, /value: /);
    assert.equal(await read(device), 1);
  });

  for (const [name, properties] of Object.entries({
    'a pattern': { resource: 'room/:id' },
    'a blank name': { resource: '' },
    'an initial value that is no JSON': { initial: '{' },
  })) {
    it(`refuses ${name}: red, and an error for each message`, async () => {
      const { bench } = await start(properties);
      await bench.status('resource-out', 'red');
      bench.send('resource-out', { payload: 1 });
      assert.equal((await bench.error()).code, 'IOTMP_ERR_CONFIG');
    });
  }

  it('has a name that another one has: its messages fail until the name is free', async () => {
    const bench = await FlowBench.start();
    const second = resourceOutNode({ id: 'second' });
    const watchers = [...catchNodes(), ...completeNodes('second')];
    const server = serverNode(bench.port);
    await bench.load(server, resourceOutNode(), second, ...watchers);
    bench.send('second', { payload: 1 });
    assert.equal((await bench.error()).code, 'IOTMP_ERR_CONFLICT');
    const { credentials: _, ...unchanged } = server;
    await bench.deploy('nodes', unchanged, second, ...watchers);
    bench.send('second', { payload: 2 });
    await bench.box('completed').next();
    assert.equal(await read(await bench.device()), 2);
    assert.equal(bench.box('errors').all.length, 1);
  });

  it('is an output of the device that a client is', async () => {
    const bench = await FlowBench.start();
    await bench.load(
      serverNode(bench.port),
      clientNode(bench.port),
      resourceOutNode({ via: 'client', client: 'client', server: '', initial: '[1]' }),
      sinkNode(),
    );
    const device = await bench.connectedDevice();
    assert.deepEqual((await device.call('level')).payload, [1]);
    assert.equal(await device.functionOf('level'), 3);
  });
});
