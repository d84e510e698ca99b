import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it, type TestContext } from 'node:test';
import { BrokerBench, LAMP, PUMP } from '../support/broker-fixture';
import { RawDevice } from '../support/raw-device';
import { hex, message, psonField, Type, varint, varintField } from '../support/raw-message';
import type { RawWire } from '../support/raw-wire';

/** A server with a device that has to be served whatever others do. */
async function benchWithLamp(
  t: TestContext,
  socket = false,
): Promise<{ bench: BrokerBench; lamp: RawDevice }> {
  const bench = await BrokerBench.start(t, socket ? { host: '127.0.0.1', tcpPort: 0 } : {});
  const lamp = await bench.device(LAMP, socket ? await bench.tcp() : bench.memory());
  lamp.resources.set('level', { fn: 3, run: () => 7 });
  return { bench, lamp };
}

/** The other device never noticed anything. */
async function assertUnharmed(bench: BrokerBench, lamp: RawDevice): Promise<void> {
  assert.equal((await bench.server.call(LAMP, 'level')).payload, 7);
  assert.equal(lamp.ended, false);
  assert.deepEqual(
    bench.log.filter((line) => line.includes('lamp')),
    ['connected anna/lamp'],
  );
}

/** A connection that nobody reads; what it is sent is dropped. */
function ignoring(wire: RawWire): RawWire {
  wire.start({ onChunk: () => undefined, onEnd: () => undefined, onClose: () => undefined });
  return wire;
}

describe('hostile peer', () => {
  it('sends garbage before it is let in', async (t) => {
    const { bench, lamp } = await benchWithLamp(t);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (bytes) => {
        const wire = ignoring(bench.memory());
        wire.write(Buffer.from(bytes));
        await bench.clock.settle();
        wire.cut();
        await bench.clock.settle();
        assert.equal(bench.server.deviceCount, 1);
      }),
      { numRuns: 300 },
    );
    await assertUnharmed(bench, lamp);
  });

  it('sends garbage after it was let in', async (t) => {
    const { bench, lamp } = await benchWithLamp(t);
    bench.server.offer('echo/:n', { kind: 'inout', run: ({ payload }) => payload });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 12 }), fc.uint8Array({ maxLength: 40 })), {
          maxLength: 20,
        }),
        fc.boolean(),
        async (parts, framed) => {
          const device = await bench.device();
          for (const [type, body] of parts) {
            device.send(framed ? message(type, Buffer.from(body)) : Buffer.from([type, ...body]));
          }
          await bench.clock.settle();
          device.wire.cut();
          await device.closed;
          await bench.clock.settle();
          assert.equal(bench.server.deviceCount, 1);
        },
      ),
      { numRuns: 300 },
    );
    await assertUnharmed(bench, lamp);
  });

  it('claims a body past the limit: it is cut off before a byte of it is kept', async (t) => {
    const { bench, lamp } = await benchWithLamp(t);
    for (const size of [262_145, 2 ** 31, 2 ** 32 - 1]) {
      const before = new RawDevice(bench.memory());
      before.send(Buffer.concat([hex('03'), varint(size)]));
      await before.closed;
      const after = await bench.device();
      after.send(Buffer.concat([hex('06'), varint(size)]));
      await after.closed;
    }
    assert.equal(bench.log.filter((line) => line.endsWith('IOTMP_ERR_TOO_LARGE')).length, 3);
    await assertUnharmed(bench, lamp);
  });

  it('sends ten messages a minute that do not decode: the tenth ends it, each is answered', async (t) => {
    const { bench, lamp } = await benchWithLamp(t);
    const device = await bench.device();
    for (let i = 1; i <= 9; i++) {
      device.send(message(Type.RUN, varintField(1, i), hex('1a 63')));
      const answer = await device.next();
      assert.deepEqual([answer.type, answer.id, answer.parameters], [Type.ERROR, i, 400]);
    }
    device.send(message(Type.RUN, varintField(1, 10), hex('1b')));
    await device.closed;
    assert.equal(bench.log.at(-1), 'disconnected anna/pump: IOTMP_ERR_DECODE');
    await assertUnharmed(bench, lamp);
  });

  it('nests deeply, and claims counts that nothing follows', async (t) => {
    const { bench, lamp } = await benchWithLamp(t);
    const bodies = [
      Buffer.concat([varintField(1, 5), hex('1a'), Buffer.alloc(200_000, 0xe1)]),
      hex('0805 | 1a ff ffffffffffffffff01'),
      hex('0805 | 1a df ffffffff0f'),
      hex('0805 | 1a 9f ffffffff0f'),
      hex('0805 | 1a c1 05 61'),
    ];
    const device = await bench.device();
    for (const body of bodies) {
      device.send(message(Type.RUN, body));
      const answer = await device.next();
      assert.deepEqual([answer.type, answer.id, answer.parameters], [Type.ERROR, 5, 400]);
    }
    await assertUnharmed(bench, lamp);
  });

  it('asks for more at once than the server works on', async (t) => {
    const { bench, lamp } = await benchWithLamp(t);
    const turn = Promise.withResolvers<undefined>();
    bench.server.offer('slow', { kind: 'output', run: () => turn.promise });
    const device = await bench.device();
    for (let id = 1; id <= 2000; id++) device.send(device.build(Type.RUN, { id, resource: 'slow' }));
    await device.barrier();
    const busy = device.all(Type.ERROR);
    assert.ok(busy.length >= 1000);
    assert.ok(busy.every(({ parameters }) => parameters === 503));
    await assertUnharmed(bench, lamp);
    turn.resolve(undefined);
    await bench.clock.settle();
    assert.equal(device.received.filter(({ id }) => id !== undefined).length, 2001);
  });

  it('opens more streams than there may be', async (t) => {
    const { bench, lamp } = await benchWithLamp(t);
    const offered = bench.server.offer('time', { kind: 'output', run: () => 1 });
    const device = await bench.device();
    for (let id = 1; id <= 3000; id++) {
      device.send(device.build(Type.START_STREAM, { id, parameters: { interval: 1000 }, resource: 'time' }));
    }
    await device.barrier();
    assert.equal(offered.streamCount, 1024);
    assert.equal(device.all(Type.ERROR).length, 3000 - 1024);
    device.wire.cut();
    await device.closed;
    await bench.clock.settle();
    assert.equal(offered.streamCount, 0);
    await assertUnharmed(bench, lamp);
  });

  it('does not read what it asks for: it is given up, and what waits for it is bounded', async (t) => {
    const { bench, lamp } = await benchWithLamp(t);
    const blob = Buffer.alloc(30_000);
    bench.server.offer('blob', { kind: 'output', run: () => blob });
    const wire = bench.memory({ windowBytes: 65_536, highWaterMark: 65_536 });
    const device = await bench.device({}, wire);
    const stuck = bench.server.device(PUMP)!;
    wire.pause();
    for (let id = 1; id <= 2000; id++) device.send(device.build(Type.RUN, { id, resource: 'blob' }));
    await bench.clock.settle();
    const waiting = stuck.session.transport.bufferedBytes;
    assert.ok(waiting > 1024 * 1024 && waiting < 8 * 1024 * 1024, `${waiting} bytes`);
    await assert.rejects(bench.server.call(PUMP, 'level', { payload: 1 }), { code: 'IOTMP_ERR_BUSY' });
    await assertUnharmed(bench, lamp);
    await bench.clock.advance(30_000);
    assert.equal(bench.server.device(PUMP), undefined);
    assert.equal(bench.log.at(-1), 'disconnected anna/pump: IOTMP_ERR_BUSY');
    await assertUnharmed(bench, lamp);
  });

  it('floods with unknown types: they are skipped, and one warning tells', async (t) => {
    const { bench, lamp } = await benchWithLamp(t);
    const device = await bench.device();
    for (let i = 0; i < 5000; i++) device.send(hex('1f 02 08 01'));
    await device.barrier();
    assert.deepEqual(bench.warnings, ['anna/pump: messages of unknown type 31 are skipped']);
    await assertUnharmed(bench, lamp);
  });

  it('floods with KEEP_ALIVE: each is echoed', async (t) => {
    const { bench, lamp } = await benchWithLamp(t);
    const device = await bench.device();
    device.send(Buffer.from('0500'.repeat(5000), 'hex'));
    for (let i = 0; i < 5000; i++) await device.next(Type.KEEP_ALIVE);
    await assertUnharmed(bench, lamp);
  });

  it('sends STREAM_DATA under every id: each is told to stop once, up to a bound', async (t) => {
    const { bench, lamp } = await benchWithLamp(t);
    const device = await bench.device();
    device.serves = false;
    for (let round = 0; round < 2; round++) {
      for (let id = 1; id <= 5000; id++) device.send(message(Type.STREAM_DATA, varintField(1, id)));
    }
    await device.barrier();
    const stops = device.all(Type.STOP_STREAM).map(({ id }) => id);
    assert.equal(new Set(stops).size, stops.length);
    assert.ok(stops.length >= 1000 && stops.length <= 5000, String(stops.length));
    await assertUnharmed(bench, lamp);
  });
});

describe('hostile peer on a socket', () => {
  it('connects again and again, logged in or not', async (t) => {
    const { bench, lamp } = await benchWithLamp(t, true);
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

  it('breaks off by RST in every phase', async (t) => {
    const { bench, lamp } = await benchWithLamp(t, true);
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

  it('ends only its own side, before or after login: the server ends, too', async (t) => {
    const { bench, lamp } = await benchWithLamp(t, true);
    const idle = new RawDevice(await bench.tcp());
    idle.wire.end();
    await idle.closed;
    const device = await bench.device({}, await bench.tcp());
    device.wire.end();
    await device.closed;
    await assertUnharmed(bench, lamp);
  });

  it('sends a request and ends its side at once: the answer still comes', async (t) => {
    const { bench, lamp } = await benchWithLamp(t, true);
    bench.server.offer('time', { kind: 'output', run: () => 'noon' });
    const device = await bench.device({}, await bench.tcp());
    device.send(device.build(Type.RUN, { id: 5, resource: 'time' }));
    device.wire.end();
    assert.equal((await device.next()).payload, 'noon');
    await assertUnharmed(bench, lamp);
  });

  it('drips bytes on a hundred connections: all are gone after the time to log in', async (t) => {
    const { bench, lamp } = await benchWithLamp(t, true);
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

  it('breaks the rules of WebSocket', async (t) => {
    const { bench, lamp } = await benchWithLamp(t, true);
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

describe('hostile message', () => {
  it('in any field of any type neither throws nor leaves a request without its answer', async (t) => {
    const { bench, lamp } = await benchWithLamp(t);
    bench.server.offer('echo', { kind: 'inout', run: ({ payload, parameters }) => payload ?? parameters });
    const value = fc.oneof(
      fc.constantFrom(null, true, 0, -5, 1.5, '', 'echo', [], {}, ['echo']),
      fc.integer({ min: -10, max: 70_000 }),
      fc.jsonValue({ maxDepth: 3 }),
    );
    const field = fc.tuple(fc.integer({ min: 2, max: 6 }), value);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(Type.RUN, Type.DESCRIBE, Type.START_STREAM, Type.STOP_STREAM),
        fc.integer({ min: 1, max: 65_535 }),
        fc.array(field, { maxLength: 5 }),
        async (type, id, fields) => {
          const device = await bench.device();
          device.serves = false;
          device.send(
            message(type, varintField(1, id), ...fields.map(([key, item]) => psonField(key, item))),
          );
          await device.barrier();
          const answers = device.received.filter((one) => one.type === Type.OK || one.type === Type.ERROR);
          assert.equal(answers.filter((one) => one.id === id).length, 1);
          device.wire.cut();
          await device.closed;
        },
      ),
      { numRuns: 300 },
    );
    await assertUnharmed(bench, lamp);
  });
});
