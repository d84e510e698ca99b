import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { IotmpError } from '../../../src/errors';
import { Scene } from './support';

describe('calls', () => {
  it('reach the resources of the server', async () => {
    const scene = new Scene();
    scene.server.resources.host('sum', {
      kind: 'inout',
      run: ({ payload, parameters }) => ({ payload, parameters }),
    });
    await scene.open();
    const reply = await scene.client.call('sum', { payload: [1, 2], parameters: { deep: true } });
    assert.deepEqual(reply, {
      payload: { payload: [1, 2], parameters: { deep: true } },
      statusCode: 200,
      parameters: undefined,
    });
    assert.deepEqual((await scene.client.describe()).payload, { sum: { fn: 4 } });
    await scene.close();
  });

  it('are refused while the client is not open, with the reason', async () => {
    const scene = new Scene();
    await assert.rejects(scene.client.call('x'), { code: 'IOTMP_ERR_OFFLINE' });
    scene.server.outage = new IotmpError('IOTMP_ERR_CONNECT', 'no route');
    await scene.connect();
    await assert.rejects(scene.client.describe(), {
      code: 'IOTMP_ERR_OFFLINE',
      message: 'not connected to tcp://server.test:25204',
      cause: scene.server.outage,
    });
    await scene.close();
    await assert.rejects(scene.client.call('x'), { code: 'IOTMP_ERR_OFFLINE' });
  });

  it('reject when the connection is lost, when their time is up and when they are given up', async () => {
    const scene = new Scene({ requestTimeoutMs: 500 });
    scene.server.resources.host('slow', { kind: 'run', run: () => new Promise(() => undefined) });
    await scene.open();
    const timedOut = assert.rejects(scene.client.call('slow'), { code: 'IOTMP_ERR_TIMEOUT' });
    const sooner = assert.rejects(scene.client.call('slow', { timeoutMs: 100 }), { message: /0\.1 s/ });
    await scene.clock.advance(100);
    await sooner;
    await scene.clock.advance(400);
    await timedOut;
    const abort = new AbortController();
    const aborted = assert.rejects(scene.client.call('slow', { signal: abort.signal }), {
      code: 'IOTMP_ERR_ABORTED',
    });
    abort.abort();
    await aborted;
    const lost = assert.rejects(scene.client.call('slow'), { code: 'IOTMP_ERR_CLOSED' });
    scene.server.session.close();
    await scene.clock.settle();
    await lost;
    await scene.close();
  });

  it('reject when the client is closed', async () => {
    const scene = new Scene();
    scene.server.resources.host('slow', { kind: 'run', run: () => new Promise(() => undefined) });
    await scene.open();
    const call = assert.rejects(scene.client.call('slow'), {
      code: 'IOTMP_ERR_CLOSED',
      message: 'the client was closed',
    });
    await scene.client.close();
    await call;
    await scene.close();
  });
});
