import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { IotmpServer } from '../../../src/broker/broker';
import { serverOptions } from '../../../src/broker/broker-options';
import {
  defaultServerLimits,
  deviceMemory,
  deviceMemoryLimits,
  serverLimitRanges,
  serverLimits,
  type ServerLimits,
} from '../../../src/broker/server-limits';

const NAMES = Object.keys(defaultServerLimits).filter(
  (name): name is keyof ServerLimits => name in serverLimitRanges,
);

describe('limits of the server', () => {
  it('have defaults within their ranges', () => {
    assert.deepEqual(Object.keys(serverLimitRanges).sort(), Object.keys(defaultServerLimits).sort());
    assert.deepEqual(serverLimits({}), defaultServerLimits);
    assert.deepEqual(serverLimits({ ...defaultServerLimits }), defaultServerLimits);
    assert.deepEqual(serverLimits({ lastKnownBytes: undefined } as object), defaultServerLimits);
  });

  it('of one device follow its memory, and are the defaults at its default', () => {
    assert.deepEqual(serverLimits(deviceMemoryLimits(deviceMemory.default)), defaultServerLimits);
    for (const mebibytes of [deviceMemory.min, deviceMemory.max]) {
      const { waitingMessageBytesPerDevice, waitingWriteBytesPerDevice, lastKnownBytesPerDevice } =
        serverLimits(deviceMemoryLimits(mebibytes));
      assert.equal(waitingMessageBytesPerDevice, mebibytes * 2 ** 20);
      assert.equal(waitingWriteBytesPerDevice, waitingMessageBytesPerDevice / 4);
      assert.equal(lastKnownBytesPerDevice, waitingMessageBytesPerDevice / 16);
    }
  });

  it('are options of the server, each by its name', () => {
    const options = serverOptions({ limits: { lastKnownBytesPerDevice: 2048 } });
    assert.deepEqual(options.limits, { ...defaultServerLimits, lastKnownBytesPerDevice: 2048 });
    assert.ok(Object.isFrozen(options.limits));
    assert.equal(new IotmpServer({ limits: { lastKnownBytes: 4096 } }).limits.lastKnownBytes, 4096);
  });

  it('are refused by name outside of their range', () => {
    for (const name of NAMES) {
      const { min, max } = serverLimitRanges[name];
      for (const value of [min, max]) assert.equal(serverLimits({ [name]: value })[name], value);
      for (const value of [min - 1, max + 1, min + 0.5, NaN, Infinity]) {
        assert.throws(() => new IotmpServer({ limits: { [name]: value } }), {
          name: 'IotmpError',
          code: 'IOTMP_ERR_CONFIG',
          message: `${name} must be a whole number from ${min} to ${max}`,
        });
      }
    }
  });

  it('of another name are refused', () => {
    for (const name of ['lastKnown', 'toString', '__proto__']) {
      assert.throws(() => serverLimits(JSON.parse(`{"${name}": 1}`) as object), {
        code: 'IOTMP_ERR_CONFIG',
        message: `${name} is no limit of a server`,
      });
    }
  });
});
