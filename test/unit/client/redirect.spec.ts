import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { redirectTarget } from '../../../src/client/redirect';
import type { Value } from '../../../src/types';
import { Scene, type Doorman } from './support';

/** Sends the first of them on to these addresses, one after the other, and lets the next ones in. */
function redirects(...addresses: Value[]): Doorman {
  const left = [...addresses];
  return (session, { streamId }) => {
    const address = left.shift();
    if (address === undefined) return;
    session.refuseWith(streamId, 1, address);
    session.close();
  };
}

describe('redirect', () => {
  it('is followed at once', async () => {
    const scene = new Scene();
    scene.server.doorman = redirects('iotmp://other.test:4000');
    await scene.open();
    assert.deepEqual(scene.server.targets[1], { transport: 'tcp', host: 'other.test', port: 4000 });
    assert.deepEqual(scene.server.connects[1]?.payload, ['user1', 'sensor1', 'secret123']);
    assert.deepEqual(scene.states, ['connecting', 'open']);
    await scene.close();
    assert.equal(scene.clock.pending, 0);
  });

  it('leads to TLS where it says so, at the usual port', async () => {
    const scene = new Scene();
    scene.server.doorman = redirects('iotmps://other.test');
    await scene.open();
    assert.deepEqual(scene.server.targets[1], { transport: 'tls', host: 'other.test', port: 25206 });
    await scene.close();
  });

  it('does not lead from TLS to a plain connection, not even over several steps', async () => {
    const scene = new Scene();
    scene.server.doorman = redirects('iotmps://b.test', 'iotmp://c.test');
    await scene.connect();
    assert.equal(scene.client.state, 'waiting');
    assert.equal(scene.client.lastError?.code, 'IOTMP_ERR_NOT_ALLOWED');
    assert.match(scene.client.lastError.message, /give up encryption/);
    assert.deepEqual(
      scene.server.targets.map(({ host }) => host),
      ['server.test', 'b.test'],
    );
    await scene.close();
  });

  it('does not lead from a secure WebSocket to a plain connection', () => {
    const from = { transport: 'wss', host: 'a.test', port: 443 } as const;
    assert.throws(() => redirectTarget('iotmp://b.test', from), { code: 'IOTMP_ERR_NOT_ALLOWED' });
    assert.equal(redirectTarget('iotmps://b.test', from).transport, 'tls');
  });

  it('is followed five times in a row, and not a sixth time', async () => {
    const chain = Array.from({ length: 6 }, (_, index) => `iotmp://hop${index}.test`);
    const five = new Scene();
    five.server.doorman = redirects(...chain.slice(0, 5));
    await five.open();
    assert.equal(five.attempts, 6);
    await five.close();
    const six = new Scene();
    six.server.doorman = redirects(...chain);
    await six.connect();
    assert.equal(six.client.state, 'waiting');
    assert.match(six.client.lastError?.message ?? '', /more than 5 redirects/);
    assert.equal(six.attempts, 6);
    await six.close();
    assert.equal(six.clock.pending, 0);
  });

  it('is forgotten when the connection is lost', async () => {
    const scene = new Scene();
    scene.server.doorman = redirects('iotmp://other.test');
    await scene.open();
    scene.server.session.close();
    await scene.clock.advance(1000);
    assert.equal(scene.client.state, 'open');
    assert.equal(scene.server.targets[2]?.host, 'server.test');
    await scene.close();
  });

  it('takes the certificate name of the configured server to no other one', async () => {
    const scene = new Scene({ transport: 'tls', tls: { servername: 'pinned.test', minVersion: 'TLSv1.3' } });
    scene.server.doorman = redirects('iotmps://other.test');
    await scene.open();
    assert.equal(scene.server.connectOptions[0]?.tls?.servername, 'pinned.test');
    assert.equal(scene.server.connectOptions[1]?.tls?.servername, undefined);
    assert.equal(scene.server.connectOptions[1]?.tls?.minVersion, 'TLSv1.3');
    await scene.close();
  });

  const from = { transport: 'tcp', host: 'a.test', port: 25204 } as const;
  const useless: Value[] = ['https://a.test', 'a.test', 'iotmp://', 'iotmp://a.test:0', '', 5, null, ['x']];
  for (const payload of useless) {
    it(`to ${JSON.stringify(payload)} is an error`, () => {
      assert.throws(() => redirectTarget(payload, from), { code: 'IOTMP_ERR_PROTOCOL' });
    });
  }

  it('may name an IPv6 address', () => {
    assert.deepEqual(redirectTarget('iotmp://[::1]:5000', from), {
      transport: 'tcp',
      host: '[::1]',
      port: 5000,
    });
  });
});
