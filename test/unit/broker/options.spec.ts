import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { IotmpServer } from '../../../src/broker/broker';
import { serverOptions, type ServerOptions } from '../../../src/broker/broker-options';
import { defaultServerLimits } from '../../../src/broker/server-limits';

describe('options of the server', () => {
  it('all have defaults', () => {
    const options = serverOptions({});
    assert.deepEqual(
      [options.keepAliveS, options.maxMessageSize, options.maxConnections, options.requestTimeoutMs],
      [60, 262_144, 10_000, 10_000],
    );
    assert.deepEqual([options.tcpPort, options.tlsPort, options.anonymous], [undefined, undefined, false]);
    assert.ok(Object.isFrozen(options));
    assert.equal(new IotmpServer().running, false);
  });

  it('take each limit of their table by itself', () => {
    const { limits } = serverOptions({ limits: { pendingPerAddress: 7 } });
    assert.deepEqual(limits, { ...defaultServerLimits, pendingPerAddress: 7 });
    assert.deepEqual(serverOptions({ limits: {} }).limits, defaultServerLimits);
  });

  it('that are undefined are absent', () => {
    const options = serverOptions({ tcpPort: undefined, authenticator: undefined, tls: undefined });
    assert.deepEqual(options, serverOptions({}));
  });

  it('are refused by name outside of their range', () => {
    const wrong: [ServerOptions, RegExp][] = [
      [{ tcpPort: -1 }, /^tcpPort must be a whole number from 0 to 65535$/],
      [{ tcpPort: 65_536 }, /tcpPort/],
      [{ tlsPort: 1.5 }, /tlsPort/],
      [{ keepAliveS: 0 }, /^keepAliveS must be a whole number from 1 to 1800$/],
      [{ keepAliveS: 1801 }, /keepAliveS/],
      [{ maxMessageSize: 63 }, /maxMessageSize/],
      [{ maxMessageSize: 2 ** 28 + 1 }, /maxMessageSize/],
      [{ maxConnections: 0 }, /maxConnections/],
      [{ requestTimeoutMs: 0 }, /requestTimeoutMs/],
      [{ requestTimeoutMs: NaN }, /requestTimeoutMs/],
      [{ connectTimeoutMs: Infinity }, /connectTimeoutMs/],
      [
        { limits: { pendingConnections: 0 } },
        /^pendingConnections must be a whole number from 1 to 1000000$/,
      ],
      [
        { limits: { pendingPerAddress: 1.5 } },
        /^pendingPerAddress must be a whole number from 1 to 1000000$/,
      ],
      [{ limits: { messagesPerSecond: -1 } }, /^messagesPerSecond must be a whole number from 0 to 1000000$/],
    ];
    for (const [options, message] of wrong) {
      assert.throws(() => new IotmpServer(options), {
        name: 'IotmpError',
        code: 'IOTMP_ERR_CONFIG',
        message,
      });
    }
  });

  it('name no device twice', () => {
    const device = { user: 'a', device: 'b', credential: 'c' };
    assert.throws(() => new IotmpServer({ devices: [device, device] }), { code: 'IOTMP_ERR_CONFIG' });
  });
});
