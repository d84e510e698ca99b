import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { IotmpError } from '../../../src/errors';
import type { ResourceCall } from '../../../src/session/hosting/resource';
import { Scene } from './support';

/** A scene whose server writes down what service `code` is asked, and gives `answer`. */
async function withService(
  code: number,
  answer: unknown,
): Promise<{ scene: Scene; asked: (call: ResourceCall) => unknown; calls: ResourceCall[] }> {
  const scene = new Scene();
  const calls: ResourceCall[] = [];
  const run = (call: ResourceCall): unknown => {
    calls.push(call);
    if (answer instanceof Error) throw answer;
    return answer;
  };
  scene.server.resources.host(`service ${code}`, { kind: 'inout', id: code, timeoutMs: 3_600_000, run });
  await scene.open();
  return { scene, calls, asked: ({ parameters, payload }) => ({ parameters, payload }) };
}

describe('services', () => {
  it('read a property', async () => {
    const { scene, calls, asked } = await withService(1, { lat: 1.5 });
    assert.deepEqual(await scene.client.getProperty('location'), { lat: 1.5 });
    assert.deepEqual(calls.map(asked), [{ parameters: 'location', payload: undefined }]);
    await scene.close();
  });

  it('give null for a property that is not there, however the server says it', async () => {
    for (const answer of [null, undefined, new IotmpError('IOTMP_ERR_NOT_FOUND', 'no such property')]) {
      const { scene } = await withService(1, answer);
      assert.equal(await scene.client.getProperty('nothing'), null);
      await scene.close();
    }
  });

  it('pass on the failure of a read', async () => {
    const { scene } = await withService(1, new IotmpError('IOTMP_ERR_NOT_ALLOWED', 'not for you'));
    await assert.rejects(scene.client.getProperty('x'), { code: 'IOTMP_ERR_REMOTE', statusCode: 405 });
    await scene.close();
  });

  it('store a property, false and null too', async () => {
    const { scene, calls, asked } = await withService(2, undefined);
    await scene.client.setProperty('limit', -5);
    await scene.client.setProperty('on', false);
    await scene.client.setProperty('none', null);
    assert.deepEqual(calls.map(asked), [
      { parameters: 'limit', payload: -5 },
      { parameters: 'on', payload: false },
      { parameters: 'none', payload: null },
    ]);
    await assert.rejects(scene.client.setProperty('nothing', undefined), { code: 'IOTMP_ERR_NO_INPUT' });
    await scene.close();
  });

  it('call another device', async () => {
    const { scene, calls, asked } = await withService(3, 'done');
    assert.equal(await scene.client.callDevice('door', 'lock', true), 'done');
    assert.equal(await scene.client.callDevice('door', 'state'), 'done');
    assert.deepEqual(calls.map(asked), [
      { parameters: ['door', 'lock'], payload: true },
      { parameters: ['door', 'state'], payload: undefined },
    ]);
    await scene.close();
  });

  it('call an endpoint', async () => {
    const { scene, calls, asked } = await withService(4, { sent: 1 });
    assert.deepEqual(await scene.client.callEndpoint('mail', { to: 'ada' }), { sent: 1 });
    assert.deepEqual(calls.map(asked), [{ parameters: 'mail', payload: { to: 'ada' } }]);
    await scene.close();
  });

  it('write to a bucket', async () => {
    const { scene, calls, asked } = await withService(5, undefined);
    await scene.client.writeBucket('weather', { temperature: 21.5 });
    assert.deepEqual(calls.map(asked), [{ parameters: 'weather', payload: { temperature: 21.5 } }]);
    await assert.rejects(scene.client.writeBucket('weather', undefined), { code: 'IOTMP_ERR_NO_INPUT' });
    await scene.close();
  });

  it('take and give back a lock', async () => {
    const { scene, calls, asked } = await withService(6, { lock: 'L1' });
    scene.server.resources.host('unlock', {
      kind: 'input',
      id: 7,
      run: (call) => {
        calls.push(call);
      },
    });
    assert.deepEqual(await scene.client.lock('crane', { slots: 2, timeoutS: 5, lock: 'mine' }), {
      lock: 'L1',
    });
    await scene.client.lock('crane');
    await scene.client.unlock('crane', { lock: 'mine' });
    await scene.client.unlock('crane');
    assert.deepEqual(calls.map(asked), [
      { parameters: 'crane', payload: { lock: 'mine', slots: 2, timeout: 5 } },
      { parameters: 'crane', payload: undefined },
      { parameters: 'crane', payload: { lock: 'mine' } },
      { parameters: 'crane', payload: undefined },
    ]);
    await scene.close();
  });

  it('wait for a lock longer than for other answers', async () => {
    const { scene } = await withService(6, new Promise(() => undefined));
    const failures: unknown[] = [];
    scene.client.lock('crane', { timeoutS: 30 }).catch((error: unknown) => failures.push(error));
    await scene.clock.advance(39_999);
    assert.deepEqual(failures, []);
    await scene.clock.advance(1);
    assert.match(String(failures[0]), /no answer within 40 s/);
    await scene.close();
  });

  it('are refused while the client is not open', async () => {
    const { client } = new Scene();
    await assert.rejects(client.getProperty('x'), { code: 'IOTMP_ERR_OFFLINE' });
    await assert.rejects(client.setProperty('x', 1), { code: 'IOTMP_ERR_OFFLINE' });
    await assert.rejects(client.callDevice('d', 'r'), { code: 'IOTMP_ERR_OFFLINE' });
    await assert.rejects(client.lock('l'), { code: 'IOTMP_ERR_OFFLINE' });
  });
});
