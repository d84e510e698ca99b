import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'mocha';
import { cleanUp } from '../../support/clean-up';
import type { RawDevice } from '../support/raw-device';
import { Type } from '../support/raw-message';
import { FlowBench } from './support/flow-bench';
import {
  callNode,
  catchNodes,
  clientNode,
  completeNodes,
  resourceInNode,
  responseNode,
  serverNode,
  sinkNode,
  LAMP,
} from './support/flows';

/** A server with a call node, and a device that it calls. */
async function start(
  properties: Record<string, unknown> = {},
): Promise<{ bench: FlowBench; device: RawDevice }> {
  const bench = await FlowBench.start();
  await bench.load(
    serverNode(bench.port),
    callNode(properties),
    sinkNode(),
    ...catchNodes(),
    ...completeNodes('call'),
  );
  return { bench, device: await bench.device() };
}

describe('iotmp-call', () => {
  it('calls a device and emits the answer in the message that came', async () => {
    const { bench, device } = await start();
    device.resources.set('level', { fn: 4, run: (input) => ({ got: input }) });
    const [req, res] = [{ socket: 1 }, { send: (): number => 1 }];
    const parts = { id: 'p', index: 0, count: 2 };
    bench.send('call', { payload: { set: 3 }, topic: 'kept', _msgid: 'm1', req, res, parts, error: null });
    const message = await bench.box().next();
    assert.equal(message.req, req);
    assert.equal(message.res, res);
    assert.deepEqual(
      { ...message },
      {
        payload: { got: { set: 3 } },
        statusCode: 200,
        user: 'anna',
        device: 'pump',
        resource: 'level',
        topic: 'kept',
        _msgid: 'm1',
        req,
        res,
        parts,
        error: null,
      },
    );
  });

  it('tells the code of the device, and null for an answer without payload', async () => {
    const { bench, device } = await start();
    device.serves = false;
    bench.send('call', { payload: 1, statusCode: 404 });
    const run = await device.next(Type.RUN);
    device.ok(run.id!, undefined, 202);
    const { payload, statusCode } = await bench.box().next();
    assert.deepEqual([payload, statusCode], [null, 202]);
  });

  it('is done once with each message', async () => {
    const { bench, device } = await start();
    device.resources.set('level', { fn: 4, run: (input) => input });
    for (const payload of [1, 2, 3]) bench.send('call', { payload });
    const completed: unknown[] = [];
    for (let i = 0; i < 3; i++) completed.push((await bench.box('completed').next()).payload);
    assert.deepEqual(completed, [1, 2, 3]);
    bench.send('call', { payload: (): number => 1 });
    await bench.error();
    assert.equal(bench.box('completed').all.length, 3);
    assert.equal(bench.box('errors').all.length, 1);
  });

  it('gives the flow an answer of its own: what is remembered of the device does not change with it', async () => {
    const { bench, device } = await start();
    device.resources.set('level', { fn: 4, run: () => ({ list: [1], raw: Buffer.from('x') }) });
    bench.send('call', { payload: 1 });
    const { payload } = await bench.box().next();
    assert.deepEqual(payload, { list: [1], raw: Buffer.from('x') });
    (payload as { list: number[] }).list.push(2);
    const known = bench.server().lastKnown({ user: 'anna', device: 'pump' })?.get('level');
    assert.deepEqual(known?.output, { list: [1], raw: Buffer.from('x') });
  });

  it('serves many calls at once, and warns of nothing', async () => {
    const { bench, device } = await start();
    const warnings: Error[] = [];
    const onWarning = (warning: Error): unknown => warnings.push(warning);
    process.on('warning', onWarning);
    cleanUp(() => process.off('warning', onWarning));
    device.serves = false;
    for (let i = 0; i < 50; i++) bench.send('call', { payload: i });
    const runs = [];
    for (let i = 0; i < 50; i++) runs.push(await device.next(Type.RUN));
    // Answers may come in any order.
    for (const { id, payload } of runs.reverse()) device.ok(id!, payload);
    const answers = new Set<unknown>();
    for (let i = 0; i < 50; i++) answers.add((await bench.box().next()).payload);
    assert.equal(answers.size, 50);
    assert.deepEqual(warnings, []);
  });

  it('calls a resource of the server through a client', async () => {
    const bench = await FlowBench.start();
    await bench.load(
      serverNode(bench.port),
      clientNode(bench.port),
      resourceInNode({ resource: 'time/:zone', kind: 'inout', reply: 'flow', wires: [['response']] }),
      responseNode(),
      callNode({ via: 'client', client: 'client', server: '', resource: 'time/utc', user: 'x', device: 'y' }),
      sinkNode(),
    );
    await bench.connected();
    bench.send('call', { payload: 'now', topic: 'kept', user: 'mine' });
    const { _msgid, ...message } = await bench.box().next();
    assert.deepEqual(message, {
      payload: 'now',
      statusCode: 200,
      resource: 'time/utc',
      topic: 'kept',
      user: 'mine',
    });
  });

  it('gives up its calls when it is closed', async () => {
    const { bench, device } = await start();
    device.serves = false;
    bench.send('call', { payload: 1 });
    await device.next(Type.RUN);
    const caller = bench.node('call');
    const failed = once(caller, 'call:error');
    const { credentials: _, ...server } = serverNode(bench.port);
    await bench.deploy('nodes', server, sinkNode(), ...catchNodes());
    const [call] = (await failed) as [{ args: [{ code: string }] }];
    assert.equal(call.args[0].code, 'IOTMP_ERR_ABORTED');
    assert.equal(bench.box().all.length, 0);
  });

  it('shows a failure until a call succeeds', async () => {
    const { bench, device } = await start();
    await bench.status('call', 'green', 'status.deviceConnected(device=pump)');
    device.serves = false;
    bench.send('call', { payload: 1 });
    device.error((await device.next(Type.RUN)).id!, { error: 'too hot' }, 500);
    await bench.status('call', 'red', 'too hot');
    bench.send('call', { payload: 1 });
    device.ok((await device.next(Type.RUN)).id!);
    await bench.status('call', 'green');
    device.wire.cut();
    await bench.status('call', 'yellow', 'status.offline(device=pump)');
  });

  it('shows the device of the last message where the fields depend on messages', async () => {
    const { bench } = await start({ device: 'payload', deviceType: 'msg' });
    await bench.status('call', 'green', 'status.listening');
    bench.send('call', { payload: 'lamp' });
    await bench.status('call', 'yellow', 'status.offline(device=lamp)');
    await bench.device(LAMP);
    await bench.status('call', 'green', 'status.deviceConnected(device=lamp)');
  });

  it('shows that the server does not know the device, and says so in the error', async () => {
    const { bench } = await start({ device: 'pumpp' });
    await bench.status('call', 'red', 'status.unknownDevice(device=pumpp)');
    bench.send('call', { payload: 1 });
    const { code, message } = await bench.error();
    assert.deepEqual(
      [code, message],
      ['IOTMP_ERR_OFFLINE', 'IotmpError: anna/pumpp/level: errors.unknownDevice'],
    );
  });

  it('does not show that a device is away while it is taken over by its own newer connection', async () => {
    const { bench } = await start();
    await bench.status('call', 'green', 'status.deviceConnected');
    const shown = bench.statuses('call').all.length;
    await bench.device();
    await new Promise((resolve) => setTimeout(resolve, 600));
    assert.deepEqual(bench.statuses('call').all.slice(shown), []);
  });
});
