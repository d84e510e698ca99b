import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { RawDevice } from '../support/raw-device';
import { Type } from '../support/raw-message';
import { FlowBench, type CaughtError } from './support/flow-bench';
import { callNode, catchNodes, clientNode, completeNodes, serverNode, sinkNode } from './support/flows';
import { freePort } from './support/free-port';

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

/** What a Catch node is told of a message that fails. */
async function failureOf(bench: FlowBench, message: Record<string, unknown>): Promise<CaughtError> {
  bench.send('call', { topic: 'kept', ...message });
  const { msg, ...error } = await bench.error();
  assert.equal(msg.topic, 'kept');
  assert.equal(error.source.id, 'call');
  assert.equal(bench.box('completed').all.length, 0);
  assert.equal(bench.box().all.length, 0);
  return error;
}

describe('failures of iotmp-call', () => {
  it('OFFLINE: the device is not connected', async () => {
    const { bench } = await start({ device: 'lamp' });
    const error = await failureOf(bench, { payload: 1 });
    assert.equal(error.code, 'IOTMP_ERR_OFFLINE');
    assert.match(error.message, /anna\/lamp/);
  });

  it('TIMEOUT: the device does not answer', async () => {
    const { bench, device } = await start({ timeout: 0.1 });
    device.serves = false;
    assert.equal((await failureOf(bench, { payload: 1 })).code, 'IOTMP_ERR_TIMEOUT');
  });

  it('CLOSED: the device goes away', async () => {
    const { bench, device } = await start();
    device.serves = false;
    bench.send('call', { payload: 1 });
    await device.next(Type.RUN);
    device.wire.cut();
    assert.equal((await bench.error()).code, 'IOTMP_ERR_CLOSED');
  });

  for (const [name, parameters, statusCode] of [
    ['a code', 418, 418],
    ['no code', undefined, 500],
  ] as const) {
    it(`REMOTE: the device answers with an error and ${name}`, async () => {
      const { bench, device } = await start();
      device.serves = false;
      bench.send('call', { payload: 1 });
      device.error((await device.next(Type.RUN)).id!, { error: 'a teapot', more: [1] }, parameters);
      const error = await bench.error();
      assert.equal(error.code, 'IOTMP_ERR_REMOTE');
      assert.match(error.message, /a teapot/);
      assert.deepEqual(error.cause, { statusCode, payload: { error: 'a teapot', more: [1] } });
    });
  }

  it('REMOTE: the device answers OK with a code of 400 or more', async () => {
    const { bench, device } = await start();
    device.serves = false;
    bench.send('call', { payload: 1 });
    device.ok((await device.next(Type.RUN)).id!, 'why', 422);
    const error = await bench.error();
    assert.deepEqual([error.code, error.cause], ['IOTMP_ERR_REMOTE', { statusCode: 422, payload: 'why' }]);
  });

  it('NO_INPUT: an input is called without a value, and the device runs nothing', async () => {
    const { bench, device } = await start();
    device.resources.set('level', { fn: 2, run: () => undefined });
    for (const payload of [undefined, null, '', [], {}]) {
      const error = await failureOf(bench, { payload });
      assert.equal(error.code, 'IOTMP_ERR_NO_INPUT', JSON.stringify(payload));
    }
    assert.deepEqual(device.acts, []);
    bench.send('call', { payload: false });
    await bench.box().next();
    assert.deepEqual(
      device.acts.map(({ payload }) => payload),
      [false],
    );
  });

  it('ENCODE: the payload cannot be sent', async () => {
    const { bench, device } = await start();
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    const { code, message } = await failureOf(bench, { payload: { deep: (): number => 1 } });
    assert.equal(code, 'IOTMP_ERR_ENCODE');
    assert.match(message, /deep: a function/);
    assert.equal((await failureOf(bench, { payload: cycle })).code, 'IOTMP_ERR_ENCODE');
    await device.barrier();
    assert.deepEqual(device.acts, []);
  });

  it('TOO_LARGE: the device does not take so much', async () => {
    const { bench, device } = await start();
    const error = await failureOf(bench, { payload: 'x'.repeat(40_000) });
    assert.equal(error.code, 'IOTMP_ERR_TOO_LARGE');
    await device.barrier();
  });

  it('OFFLINE: the client is not connected', async () => {
    const bench = await FlowBench.start();
    await bench.load(
      clientNode(await freePort()),
      callNode({ via: 'client', client: 'client', server: '' }),
      sinkNode(),
      ...catchNodes(),
    );
    const error = await failureOf(bench, { payload: 1 });
    assert.equal(error.code, 'IOTMP_ERR_OFFLINE');
  });

  it('REMOTE: the server has no such resource', async () => {
    const bench = await FlowBench.start();
    await bench.load(
      serverNode(bench.port),
      clientNode(bench.port),
      callNode({ via: 'client', client: 'client', server: '' }),
      sinkNode(),
      ...catchNodes(),
    );
    await bench.connected();
    const error = await failureOf(bench, { payload: 1 });
    assert.equal(error.code, 'IOTMP_ERR_REMOTE');
    assert.equal((error.cause as { statusCode: number }).statusCode, 404);
  });

  it('CONFIG: a timeout out of its range is red, and each message fails', async () => {
    const { bench } = await start({ timeout: 0 });
    await bench.status('call', 'red', 'timeout must be a number from 0.1 to 36');
    assert.equal((await failureOf(bench, { payload: 1 })).code, 'IOTMP_ERR_CONFIG');
  });

  for (const [name, properties, status, text] of [
    ['no server', { server: '' }, 'status.noServer', 'errors.noServer'],
    ['a server that is missing', { server: 'gone' }, 'status.noServer', 'errors.noServer'],
    ['no client', { via: 'client' }, 'status.noClient', 'errors.noClient'],
    ['a client in place of a server', { server: 'client' }, 'status.noServer', 'errors.noServer'],
    [
      'a server in place of a client',
      { via: 'client', client: 'server' },
      'status.noClient',
      'errors.noClient',
    ],
  ] as const) {
    it(`CONFIG: ${name} is red, and each message fails`, async () => {
      const bench = await FlowBench.start();
      await bench.load(
        serverNode(bench.port),
        clientNode(bench.port),
        callNode(properties),
        sinkNode(),
        ...catchNodes(),
      );
      await bench.status('call', 'red', status);
      assert.deepEqual(bench.log('error', 'call'), [text]);
      for (let i = 0; i < 2; i++) {
        const error = await failureOf(bench, { payload: 1 });
        assert.equal(error.code, 'IOTMP_ERR_CONFIG');
        assert.match(error.message, new RegExp(text));
      }
    });
  }
});
