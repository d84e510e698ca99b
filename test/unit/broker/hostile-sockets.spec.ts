import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { PUMP } from '../support/broker-fixture';
import { RawDevice } from '../support/raw-device';
import { hex, Type } from '../support/raw-message';
import { assertUnharmed, benchWithLamp, ignoring } from '../support/unharmed';

describe('hostile peer on a socket', () => {
  it('connects again and again, logged in or not', async () => {
    const { bench, lamp } = await benchWithLamp(true);
    for (let i = 0; i < 40; i++) {
      const wires = await Promise.all([bench.tcp(), bench.tcp(), bench.tcp()]);
      for (const wire of wires) ignoring(wire);
      wires[1].write(new RawDevice(bench.memory()).build(Type.CONNECT, { id: 1, payload: ['a', 'b', 'c'] }));
      wires[2].write(hex('ffffffffffffffff'));
      for (const wire of wires) wire.cut();
    }
    await assertUnharmed(bench, lamp);
    assert.equal(bench.server.deviceCount, 1);
  });

  it('breaks off by RST in every phase', async () => {
    const { bench, lamp } = await benchWithLamp(true);
    bench.server.offer('slow', { kind: 'output', run: () => new Promise(() => undefined) });
    const say =
      (digits: string) =>
      (device: RawDevice): Promise<void> => {
        device.send(hex(digits));
        return Promise.resolve();
      };
    const phases: ((device: RawDevice) => Promise<void>)[] = [
      () => Promise.resolve(),
      say('03'),
      say('03 20 08 05'),
      say('03 17 1a e3 84 616e6e61 84 70756d70 86 736563726574 08 e7 8a 01'),
      async (device) => {
        device.connect();
        await device.next(Type.OK);
      },
      async (device) => {
        device.connect();
        await device.next(Type.OK);
        device.send(device.build(Type.RUN, { id: 5, resource: 'slow' }));
        device.send(hex('06 7f 08'));
      },
      async (device) => {
        device.serves = false;
        device.connect();
        await device.next(Type.OK);
        const connected = bench.server.device(PUMP);
        const call = connected?.call('level', { payload: 1 });
        const stream = connected?.openStream('level', { onData: () => undefined });
        await device.next(Type.START_STREAM);
        device.wire.cut();
        await assert.rejects(call ?? Promise.reject(new Error('was not there')), {
          code: 'IOTMP_ERR_CLOSED',
        });
        await assert.rejects(stream ?? Promise.reject(new Error('was not there')), {
          code: 'IOTMP_ERR_CLOSED',
        });
      },
    ];
    for (const phase of phases) {
      const device = new RawDevice(await bench.tcp());
      await phase(device);
      device.wire.cut();
      await device.closed;
    }
    await bench.until(() => bench.server.deviceCount === 1);
    await assertUnharmed(bench, lamp);
  });

  it('ends only its own side, before or after login: the server ends, too', async () => {
    const { bench, lamp } = await benchWithLamp(true);
    const idle = new RawDevice(await bench.tcp());
    idle.wire.end();
    await idle.closed;
    const device = await bench.device({}, await bench.tcp());
    device.wire.end();
    await device.closed;
    await assertUnharmed(bench, lamp);
  });

  it('sends a request and ends its side at once: the answer still comes', async () => {
    const { bench, lamp } = await benchWithLamp(true);
    bench.server.offer('time', { kind: 'output', run: () => 'noon' });
    const device = await bench.device({}, await bench.tcp());
    device.send(device.build(Type.RUN, { id: 5, resource: 'time' }));
    device.wire.end();
    assert.equal((await device.next()).payload, 'noon');
    await assertUnharmed(bench, lamp);
  });

  it('drips bytes on a hundred connections: all are gone after the time to log in', async () => {
    const { bench, lamp } = await benchWithLamp(true);
    const drips = await Promise.all(Array.from({ length: 100 }, () => bench.tcp()));
    const devices = drips.map((wire) => new RawDevice(wire));
    for (const { wire } of devices) wire.write(hex('03 7f 08'));
    // Their sessions start when their sockets have been accepted.
    await bench.until(() => bench.clock.pending >= 101);
    for (let second = 0; second < 10; second++) {
      for (const { wire } of devices) wire.write(hex('80'));
      await bench.clock.advance(1_000);
    }
    await Promise.all(devices.map(({ serverEnded }) => serverEnded));
    await assertUnharmed(bench, lamp);
  });

  it('breaks the rules of WebSocket', async () => {
    const { bench, lamp } = await benchWithLamp(true);
    for (const [opcode, payload, fin] of [
      [3, '00', true],
      [9, '00'.repeat(200), true],
      [0, '00', true],
    ] as const) {
      const wire = await bench.webSocket();
      const device = new RawDevice(wire);
      device.connect();
      await device.next(Type.OK);
      wire.writeFrame(opcode, Buffer.from(payload, 'hex'), fin);
      await device.closed;
    }
    await assertUnharmed(bench, lamp);
  });
});
