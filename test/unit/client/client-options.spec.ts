import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { IotmpClient } from '../../../src/client/client';
import { clientSettings, type ClientOptions } from '../../../src/client/client-options';

const GIVEN: ClientOptions = { host: 'server.test', user: 'u', device: 'd', credential: 'c' };

describe('client options', () => {
  it('has a default for everything but host and identity', () => {
    const settings = clientSettings(GIVEN);
    assert.deepEqual(settings.target, { transport: 'tcp', host: 'server.test', port: 25204, path: '/iotmp' });
    assert.deepEqual(settings.identity, { user: 'u', device: 'd', credential: 'c' });
    assert.equal(settings.keepAliveS, 60);
    assert.equal(settings.connectTimeoutMs, 10_000);
    assert.equal(settings.requestTimeoutMs, 10_000);
    assert.equal(settings.maxMessageSize, undefined);
    assert.equal(settings.compactStreams, false);
    assert.deepEqual(settings.reconnect, { minMs: 1000, maxMs: 60_000 });
  });

  it('takes the usual port of each transport', () => {
    const ports = (['tcp', 'tls', 'ws', 'wss'] as const).map(
      (transport) => clientSettings({ ...GIVEN, transport }).target.port,
    );
    assert.deepEqual(ports, [25204, 25206, 80, 443]);
  });

  it('cannot be changed from outside', () => {
    assert.ok(Object.isFrozen(clientSettings(GIVEN)));
    assert.ok(Object.isFrozen(clientSettings(GIVEN).identity));
  });

  it('takes an empty user and an empty credential, as servers without users have them', () => {
    const { identity } = clientSettings({ ...GIVEN, user: '', credential: '' });
    assert.deepEqual(identity, { user: '', device: 'd', credential: '' });
  });

  const wrong: [string, Record<string, unknown>, RegExp][] = [
    ['no host', { host: '' }, /host must not be empty/],
    ['a host that is no text', { host: 5 }, /host must be a text, not of type number/],
    ['a port of 0', { port: 0 }, /port must be a whole number of 1 to 65535, not 0/],
    ['a port that is a text', { port: '25204' }, /port must be a whole number .*, not "25204"/],
    ['an unknown transport', { transport: 'udp' }, /transport must be tcp, tls, ws or wss, not "udp"/],
    ['a transport of the prototype', { transport: 'toString' }, /transport must be/],
    ['a relative path', { path: 'iotmp' }, /path must begin with "\/", not be "iotmp"/],
    ['no device', { device: '' }, /device must not be empty/],
    ['a missing credential', { credential: undefined }, /credential must be a text, not of type undefined/],
    ['a keep-alive of 0', { keepAliveS: 0 }, /keepAliveS must be a whole number of 1 to 1800, not 0/],
    ['a keep-alive that is too long', { keepAliveS: 1801 }, /keepAliveS must be .* not 1801/],
    ['a part of a second', { keepAliveS: 1.5 }, /keepAliveS/],
    ['a time that no timer takes', { connectTimeoutMs: 2 ** 31 }, /connectTimeoutMs/],
    ['no time for answers', { requestTimeoutMs: 0 }, /requestTimeoutMs/],
    ['tiny messages', { maxMessageSize: 1023 }, /maxMessageSize must be a whole number of 1024 to/],
    ['a switch that is a text', { compactStreams: 'yes' }, /compactStreams must be true or false, not "yes"/],
    ['a negative delay', { reconnect: { minMs: -1 } }, /reconnect\.minMs/],
    ['delays the wrong way round', { reconnect: { minMs: 5000, maxMs: 4000 } }, /\(5000\) .* \(4000\)/],
  ];
  for (const [name, change, message] of wrong) {
    it(`refuses ${name}`, () => {
      const options = { ...GIVEN, ...change };
      assert.throws(() => new IotmpClient(options), { code: 'IOTMP_ERR_CONFIG', message });
    });
  }

  it('never shows a credential', () => {
    const options = { ...GIVEN, credential: 12345 } as unknown as ClientOptions;
    assert.throws(
      () => clientSettings(options),
      (error: Error) => !error.message.includes('12345'),
    );
  });
});
