import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { IotmpError, type ErrorCode } from '../../../src/errors';
import { Scene, type Doorman } from './support';

/** Refuses everyone with this code. */
function refuseWith(statusCode: number): Doorman {
  return () => {
    throw new IotmpError('IOTMP_ERR_AUTH', 'go away', { statusCode });
  };
}

/** Lets in who knows the word. */
const opensFor =
  (word: string): Doorman =>
  (_session, { payload }) => {
    if (!Array.isArray(payload) || payload[2] !== word) throw new IotmpError('IOTMP_ERR_AUTH', 'go away');
  };

describe('refusal', () => {
  const codes: [number, ErrorCode, RegExp][] = [
    [2, 'IOTMP_ERR_AUTH', /user, device or credential: go away/],
    [401, 'IOTMP_ERR_AUTH', /user, device or credential: go away/],
    [403, 'IOTMP_ERR_AUTH', /user, device or credential: go away/],
    [3, 'IOTMP_ERR_CONFIG', /keep-alive interval: go away/],
    [4, 'IOTMP_ERR_PROTOCOL', /could not read CONNECT: go away/],
  ];
  for (const [statusCode, code, text] of codes) {
    it(`stops after code ${statusCode} and says why`, async () => {
      const scene = new Scene();
      scene.server.doorman = refuseWith(statusCode);
      scene.client.connect();
      await assert.rejects(scene.client.ready(), { code, message: text });
      await scene.clock.advance(3_600_000);
      assert.equal(scene.client.state, 'refused');
      assert.equal(scene.attempts, 1);
      assert.deepEqual(scene.states, ['connecting', 'refused']);
      assert.equal(scene.errors[1]?.code, code);
      assert.equal(scene.clock.pending, 0);
      await assert.rejects(scene.client.ready(), { code });
      await scene.close();
    });
  }

  it('tries again after a while where that is wanted, until it is let in', async () => {
    const scene = new Scene({ retryRefusedMs: 30_000 });
    scene.server.doorman = refuseWith(2);
    await scene.connect();
    await scene.clock.advance(29_999);
    assert.deepEqual([scene.client.state, scene.attempts], ['refused', 1]);
    await scene.clock.advance(1);
    assert.deepEqual([scene.client.state, scene.attempts], ['refused', 2]);
    scene.server.doorman = () => undefined;
    await scene.clock.advance(30_000);
    assert.deepEqual([scene.client.state, scene.attempts], ['open', 3]);
    await scene.close();
    assert.equal(scene.clock.pending, 0);
  });

  it('makes no attempt beside the one that it was told to make, and none after its end', async () => {
    const scene = new Scene({ retryRefusedMs: 30_000 });
    scene.server.doorman = refuseWith(2);
    await scene.connect();
    await scene.clock.advance(29_000);
    scene.client.connect();
    await scene.clock.advance(29_000);
    assert.equal(scene.attempts, 2);
    await scene.client.disconnect();
    await scene.clock.advance(60_000);
    assert.equal(scene.attempts, 2);
    await scene.close();
    assert.equal(scene.clock.pending, 0);
  });

  it('tries again when the credential changes', async () => {
    const scene = new Scene();
    scene.server.doorman = opensFor('right');
    await scene.connect();
    assert.equal(scene.client.state, 'refused');
    scene.client.update({ credential: 'right' });
    await scene.client.ready();
    assert.deepEqual(scene.server.connects.at(-1)?.payload, ['user1', 'sensor1', 'right']);
    await scene.close();
  });

  it('stays refused when an update changes nothing', async () => {
    const scene = new Scene();
    scene.server.doorman = opensFor('right');
    await scene.connect();
    scene.client.update({ user: 'user1', credential: 'secret123' });
    await scene.clock.advance(60_000);
    assert.equal(scene.attempts, 1);
    await scene.close();
  });

  it('tries again when it is told to connect', async () => {
    const scene = new Scene();
    scene.server.doorman = refuseWith(2);
    await scene.connect();
    scene.server.doorman = () => undefined;
    scene.client.connect();
    await scene.client.ready();
    assert.equal(scene.attempts, 2);
    await scene.close();
  });

  it('connects anew with another identity while it is open', async () => {
    const scene = new Scene();
    await scene.open();
    scene.client.update({ device: 'sensor2' });
    assert.equal(scene.client.device, 'sensor2');
    await scene.client.ready();
    assert.deepEqual(
      scene.server.connects.map(({ payload }) => (Array.isArray(payload) ? payload[1] : undefined)),
      ['sensor1', 'sensor2'],
    );
    await scene.clock.settle();
    assert.equal(scene.server.sessions[0]?.state, 'closed');
    assert.deepEqual(scene.states, ['connecting', 'open', 'connecting', 'open']);
    await scene.close();
    assert.equal(scene.clock.pending, 0);
  });

  it('gives up the attempt at hand for another identity, and does not wait for the next', async () => {
    const scene = new Scene();
    scene.server.doorman = () => new Promise(() => undefined);
    await scene.connect();
    scene.server.doorman = () => undefined;
    scene.client.update({ credential: 'b' });
    await scene.client.ready();
    scene.server.session.destroy(new IotmpError('IOTMP_ERR_CLOSED', 'gone'));
    await scene.clock.settle();
    assert.equal(scene.client.state, 'waiting');
    scene.client.update({ credential: 'c' });
    await scene.client.ready();
    assert.equal(scene.attempts, 3);
    await scene.close();
    assert.equal(scene.clock.pending, 0);
  });

  it('only remembers another identity before it is started', async () => {
    const scene = new Scene();
    scene.client.update({ user: 'other' });
    await scene.clock.advance(60_000);
    assert.equal(scene.attempts, 0);
    await scene.open();
    assert.deepEqual(scene.server.connects[0]?.payload, ['other', 'sensor1', 'secret123']);
    await scene.close();
  });

  it('keeps its identity when the new one is not usable', async () => {
    const scene = new Scene();
    assert.throws(() => scene.client.update({ device: '' }), { code: 'IOTMP_ERR_CONFIG' });
    assert.equal(scene.client.device, 'sensor1');
    await scene.close();
  });
});
