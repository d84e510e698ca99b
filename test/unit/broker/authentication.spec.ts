import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { describe, it } from 'mocha';
import { DeviceTable } from '../../../src/broker/authenticator';
import { IotmpError } from '../../../src/errors';
import { fakes } from '../../support/fakes';
import { BrokerBench, LAMP, PUMP } from '../support/broker-fixture';
import { assertRefused, knock } from '../support/login';
import { RawDevice, type RawDeviceOptions } from '../support/raw-device';
import { hex, message, psonField, Type, varintField } from '../support/raw-message';

describe('authentication', () => {
  it('lets in a registered device with its credential', async () => {
    const bench = await BrokerBench.start();
    const { answer } = await knock(bench);
    assert.equal(answer.bytes.toString('hex'), '010408e78a01');
    assert.deepEqual(bench.log, ['connected anna/pump']);
    assert.deepEqual(bench.refusedLogins, []);
  });

  it('refuses a wrong credential, an unknown device and another user with code 2, and closes', async () => {
    const bench = await BrokerBench.start();
    await assertRefused(bench, { credential: 'Secret' });
    const others: Partial<RawDeviceOptions>[] = [
      { credential: '' },
      { device: 'pumps' },
      { user: 'bob' },
      { credential: LAMP.credential },
    ];
    for (const other of others) {
      const refused = assertRefused(bench, other);
      await bench.clock.advance(5_000);
      await refused;
    }
    assert.deepEqual(bench.log, []);
    assert.deepEqual(
      bench.refusedLogins.map(({ user, device, address, reason }) => [user, device, address, reason]),
      [
        ['anna', 'pump', 'memory', 'credentials'],
        ['anna', 'pump', 'memory', 'credentials'],
        ['anna', 'pumps', 'memory', 'credentials'],
        ['bob', 'pump', 'memory', 'credentials'],
        ['anna', 'pump', 'memory', 'credentials'],
      ],
    );
  });

  it('lets nobody in without registered devices', async () => {
    const bench = await BrokerBench.start({ devices: [] });
    await assertRefused(bench, {});
  });

  it('answers a CONNECT without stream id without one', async () => {
    const bench = await BrokerBench.start();
    const device = new RawDevice(bench.memory());
    device.send(message(Type.CONNECT, psonField(3, ['anna', 'pump', 'secret'])));
    assert.equal((await device.next()).bytes.toString('hex'), '0100');
  });

  it('takes names and credentials in any script, and an empty user', async () => {
    const devices = [
      { user: 'ñandú日本', device: 'pümp 🚀', credential: 'clé/日' },
      { user: '', device: 'solo', credential: '' },
    ];
    const bench = await BrokerBench.start({ devices });
    await bench.device(devices[0]);
    await bench.device(devices[1]);
    assert.deepEqual(bench.log, ['connected ñandú日本/pümp 🚀', 'connected /solo']);
  });

  it('does not mix up names that look alike when they are joined', async () => {
    const devices = [{ user: 'a/b', device: 'c', credential: '1' }];
    const bench = await BrokerBench.start({ devices });
    await assertRefused(bench, { user: 'a', device: 'b/c', credential: '1' });
    await bench.device(devices[0]);
    assert.equal(bench.server.device({ user: 'a', device: 'b/c' }), undefined);
  });

  it('reports an answer to CONNECT in one write', async () => {
    const bench = await BrokerBench.start();
    const { device } = await knock(bench);
    assert.equal(device.chunks.length, 1);
  });
});

describe('anonymous devices', () => {
  it('get in with any credential, while registered ones still need theirs', async () => {
    const bench = await BrokerBench.start({ anonymous: true });
    await bench.device({ user: 'guest', device: 'tablet', credential: 'whatever' });
    await bench.device({ user: 'guest', device: 'phone', credential: '' });
    await assertRefused(bench, { credential: 'whatever' });
    await bench.device(PUMP);
    assert.deepEqual(bench.log, [
      'connected anonymous/tablet',
      'connected anonymous/phone',
      'connected anna/pump',
    ]);
  });

  it('belong to one user, whatever they claim: the same id is the same device', async () => {
    const bench = await BrokerBench.start({ anonymous: true });
    await bench.device({ user: 'anna', device: 'tablet', credential: '' });
    await bench.device({ user: 'bert', device: 'tablet', credential: '' });
    assert.equal(bench.server.deviceCount, 1);
    assert.equal(bench.server.takeOvers, 1);
    assert.equal(bench.server.device({ user: 'anna', device: 'tablet' }), undefined);
    assert.equal(bench.server.mayConnect({ user: 'anonymous', device: 'any' }), true);
    assert.equal(bench.server.mayConnect({ user: 'anna', device: 'any' }), false);
  });

  it('have a user that no registered device can have', () => {
    assert.throws(() => new DeviceTable([{ ...PUMP, user: 'anonymous' }]), { code: 'IOTMP_ERR_CONFIG' });
  });
});

describe('table of devices', () => {
  it('refuses a device that is there twice', () => {
    assert.throws(() => new DeviceTable([PUMP, { ...PUMP, credential: 'other' }]), {
      code: 'IOTMP_ERR_CONFIG',
      message: /anna\/pump is registered twice/,
    });
  });

  it('compares in constant time, also for a device that it does not know', () => {
    const table = new DeviceTable([PUMP]);
    const compare = fakes.spy(crypto, 'timingSafeEqual');
    const hash = fakes.spy(crypto, 'hash');
    const attempts: [string, string][] = [
      ['pump', 'wrong'],
      ['nobody', 'wrong'],
      ['nobody', 'secret'],
    ];
    for (const [device, credential] of attempts) {
      assert.throws(() => table.authenticate({ user: 'anna', device }, credential), {
        code: 'IOTMP_ERR_AUTH',
      });
    }
    // With a next credential or without.
    assert.equal(compare.callCount, 2 * attempts.length);
    assert.equal(hash.callCount, 2 * attempts.length);
    for (const {
      args: [one, other],
    } of compare.getCalls()) {
      assert.equal(one.byteLength, 32);
      assert.equal(other.byteLength, 32);
    }
  });

  it('tells the same of an unknown device and of a wrong credential', () => {
    const table = new DeviceTable([PUMP]);
    const told = (device: string, credential: string): unknown => {
      try {
        table.authenticate({ user: 'anna', device }, credential);
      } catch (error) {
        assert.ok(error instanceof IotmpError);
        return [error.code, error.statusCode, error.message];
      }
      return assert.fail('was let in');
    };
    assert.deepEqual(told('nobody', 'secret'), told('pump', 'wrong'));
  });

  it('knows which devices a newer table still lets in', () => {
    const before = new DeviceTable([PUMP, LAMP], true);
    const guest = { user: 'guest', device: 'tablet' };
    const keeps = (table: DeviceTable): boolean[] => [PUMP, LAMP, guest].map((id) => table.keeps(id, before));
    assert.deepEqual(keeps(new DeviceTable([PUMP, LAMP], true)), [true, true, true]);
    assert.deepEqual(keeps(new DeviceTable([PUMP, LAMP], false)), [true, true, false]);
    assert.deepEqual(keeps(new DeviceTable([{ ...PUMP, credential: 'new' }], false)), [false, false, false]);
    assert.deepEqual(keeps(new DeviceTable([PUMP], true)), [true, true, true]);
    assert.deepEqual(keeps(new DeviceTable([{ ...guest, credential: 'x' }], true)), [true, true, false]);
  });

  it('shows neither credentials nor their hashes', () => {
    const shown = JSON.stringify(new DeviceTable([PUMP]));
    assert.doesNotMatch(shown, /secret/);
    assert.equal(shown, '{"firstUser":"anna"}');
  });
});

describe('first message', () => {
  it('that is not CONNECT ends the connection without an answer', async () => {
    const bench = await BrokerBench.start();
    for (const digits of ['0500', '06 06 | 08 01 | 22 82 7570', '0100', '0400', '0700', '1f00', '0000']) {
      const device = new RawDevice(bench.memory());
      device.send(hex(digits));
      await device.closed;
      assert.deepEqual(device.received, [], digits);
    }
    assert.deepEqual(bench.log, []);
    assert.equal(bench.refusedLogins.filter(({ reason }) => reason === 'protocol').length, 7);
  });

  it('may be told in the log, but a flood of them is cut short', async () => {
    const bench = await BrokerBench.start();
    for (let i = 0; i < 100; i++) {
      const device = new RawDevice(bench.memory());
      device.send(hex('0500'));
      await device.closed;
    }
    assert.deepEqual(bench.refusalLines, [
      'refused login: reason=protocol address=memory transport=memory user="" device="" left_out=0',
    ]);
    assert.equal(bench.server.refusedLogins.total, 100);
  });

  it('may be a second CONNECT later on, which is refused and changes nothing', async () => {
    const bench = await BrokerBench.start();
    const device = await bench.device();
    device.send(message(Type.CONNECT, varintField(1, 5), psonField(3, ['anna', 'lamp', 'light'])));
    const answer = await device.next();
    assert.deepEqual([answer.type, answer.id, answer.parameters], [Type.ERROR, 5, 400]);
    assert.deepEqual(bench.log, ['connected anna/pump']);
  });
});
