import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { BrokerBench, LAMP, PUMP } from '../support/broker-fixture';
import { CONNECT_ID, RawDevice } from '../support/raw-device';
import { hex, message, psonField, Type, varintField } from '../support/raw-message';

function connectWith(parameters: unknown): Buffer {
  const payload = [PUMP.user, PUMP.device, PUMP.credential];
  return message(Type.CONNECT, varintField(1, CONNECT_ID), psonField(2, parameters), psonField(3, payload));
}

describe('keep-alive', () => {
  it('lets a device be silent for 90 s, and no longer', async () => {
    const bench = await BrokerBench.start();
    const device = await bench.device();
    await bench.clock.advance(89_999);
    assert.equal(device.ended, false);
    await bench.clock.advance(1);
    await device.closed;
    assert.deepEqual(bench.log, ['connected anna/pump', 'disconnected anna/pump: IOTMP_ERR_TIMEOUT']);
  });

  it('is echoed at once, and the server sends none of its own', async () => {
    const bench = await BrokerBench.start();
    const device = await bench.device();
    for (let i = 1; i <= 5; i++) {
      await bench.clock.advance(60_000);
      device.send(hex('0500'));
      await bench.clock.settle();
      assert.equal(device.all(Type.KEEP_ALIVE).length, i);
    }
    assert.equal(device.all(Type.KEEP_ALIVE)[0]?.bytes.toString('hex'), '0500');
    assert.equal(device.received.length, 6);
  });

  it('counts any message as life, also an unknown one and one that does not decode', async () => {
    const bench = await BrokerBench.start();
    const device = await bench.device();
    for (const digits of ['0500', '01 02 08 09', '1f 02 08 09', '06 02 1a 63', '0a 05 08 07 1a 00 00']) {
      await bench.clock.advance(89_000);
      device.send(hex(digits));
      await bench.clock.settle();
      assert.equal(device.ended, false, digits);
    }
  });

  it('does not count a message that never ends', async () => {
    const bench = await BrokerBench.start();
    const device = await bench.device();
    device.send(hex('06 7f'));
    for (let i = 0; i < 9; i++) {
      await bench.clock.advance(9_999);
      device.send(Buffer.from([0x08]));
    }
    await bench.clock.advance(10);
    await device.closed;
  });

  it('follows what CONNECT asks for', async () => {
    const bench = await BrokerBench.start();
    const device = new RawDevice(bench.memory());
    device.send(connectWith({ ka: 10 }));
    await device.next(Type.OK);
    await bench.clock.advance(14_999);
    assert.equal(device.ended, false);
    await bench.clock.advance(1);
    await device.closed;
  });

  it('follows the option of the server where CONNECT does not', async () => {
    const bench = await BrokerBench.start({ keepAliveS: 300 });
    const device = await bench.device();
    await bench.clock.advance(449_999);
    assert.equal(device.ended, false);
    await bench.clock.advance(1);
    await device.closed;
  });
});

describe('login', () => {
  it('has to come within 10 s', async () => {
    const bench = await BrokerBench.start();
    const silent = new RawDevice(bench.memory());
    await bench.clock.advance(9_999);
    assert.equal(silent.ended, false);
    await bench.clock.advance(1);
    await silent.closed;
    assert.deepEqual(silent.received, []);
    assert.deepEqual(
      bench.refusedLogins.map(({ reason, text }) => [reason, text]),
      [['timeout', 'no CONNECT in time']],
    );
  });

  it('has to be whole by then, however busily its bytes drip in', async () => {
    const bench = await BrokerBench.start();
    const wire = bench.memory();
    const device = new RawDevice(wire);
    const connect = device.build(Type.CONNECT, { id: 1, payload: ['anna', 'pump', 'secret'] });
    for (const byte of connect.subarray(0, 10)) {
      wire.write(Buffer.from([byte]));
      await bench.clock.advance(1_000);
    }
    await device.closed;
    assert.deepEqual(bench.log, []);
  });

  it('may take as long as the option says', async () => {
    const bench = await BrokerBench.start({ connectTimeoutMs: 50 });
    const device = new RawDevice(bench.memory());
    await bench.clock.advance(50);
    await device.closed;
  });

  it('ends the time limit', async () => {
    const bench = await BrokerBench.start();
    const device = await bench.device();
    await bench.clock.advance(20_000);
    assert.equal(device.ended, false);
  });
});

describe('number of connections', () => {
  it('is bounded: when all are logged in newcomers are turned away, which is told once', async () => {
    const bench = await BrokerBench.start({ maxConnections: 2 });
    const device = await bench.device();
    const lamp = await bench.device(LAMP);
    for (let i = 0; i < 3; i++) await new RawDevice(bench.memory()).closed;
    assert.deepEqual(bench.refusalLines, [
      'refused login: reason=full address=memory transport=memory user="" device="" left_out=0',
    ]);
    assert.equal(bench.server.refusedLogins.counts.get('full'), 3);
    await device.barrier();
    lamp.wire.cut();
    await lamp.closed;
    await bench.clock.settle();
    await bench.device(LAMP);
    assert.equal(bench.server.deviceCount, 2);
  });

  it('is bounded: one that is not logged in gives way to each newcomer, which is told once', async () => {
    const bench = await BrokerBench.start({ maxConnections: 2 });
    const device = await bench.device();
    for (let i = 0; i < 3; i++) {
      const idle = new RawDevice(bench.memory());
      const lamp = await bench.device(LAMP);
      await idle.closed;
      assert.deepEqual(idle.received, []);
      lamp.wire.cut();
      await lamp.closed;
      await bench.clock.settle();
    }
    assert.deepEqual(bench.refusalLines, [
      'refused login: reason=crowded address=memory transport=memory user="" device="" left_out=0',
    ]);
    assert.equal(bench.server.refusedLogins.counts.get('crowded'), 3);
    assert.equal(
      bench.server.refusedLogins.last?.text,
      'gave way before its login: the limit of 2 connections is reached',
    );
    await device.barrier();
  });

  it('is bounded on sockets, too, and told', async () => {
    const bench = await BrokerBench.start({ host: '127.0.0.1', tcpPort: 0, maxConnections: 1 });
    const device = await bench.device({}, await bench.tcp());
    for (let i = 0; i < 30; i++) {
      const turnedAway = new RawDevice(await bench.tcp());
      await turnedAway.serverEnded;
      assert.deepEqual(turnedAway.received, []);
    }
    await bench.until(() => bench.server.refusedLogins.counts.get('full') === 30);
    assert.equal(bench.server.refusedLogins.last?.text, 'the limit of 1 connections is reached');
    assert.deepEqual(bench.refusalLines, [
      'refused login: reason=full address=127.0.0.1 transport=tcp user="" device="" left_out=0',
    ]);
    await device.barrier();
  });

  it('is free again for the device when its older connection is taken over', async () => {
    const bench = await BrokerBench.start({ maxConnections: 2 });
    for (let i = 0; i < 10; i++) {
      const login = bench.device();
      await bench.clock.advance(1000);
      await login;
    }
    assert.equal(bench.server.deviceCount, 1);
  });
});
