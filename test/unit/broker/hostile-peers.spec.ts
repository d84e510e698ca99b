import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import fc from 'fast-check';
import { times } from '../../support/effort';
import { PUMP } from '../support/broker-fixture';
import { RawDevice } from '../support/raw-device';
import { hex, message, psonField, Type, varint, varintField } from '../support/raw-message';
import { assertUnharmed, benchWithLamp, ignoring } from '../support/unharmed';
import { sessionOf } from '../support/device-session';

describe('hostile peer', () => {
  it('sends garbage before it is let in', async () => {
    const { bench, lamp } = await benchWithLamp();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (bytes) => {
        const wire = ignoring(bench.memory());
        wire.write(Buffer.from(bytes));
        await bench.clock.settle();
        wire.cut();
        await bench.clock.settle();
        assert.equal(bench.server.deviceCount, 1);
      }),
      { numRuns: times(300) },
    );
    await assertUnharmed(bench, lamp);
  });

  it('sends garbage after it was let in', async () => {
    const { bench, lamp } = await benchWithLamp();
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
      { numRuns: times(300) },
    );
    await assertUnharmed(bench, lamp);
  });

  it('claims a body past the limit: it is cut off before a byte of it is kept', async () => {
    const { bench, lamp } = await benchWithLamp();
    for (const size of [2 ** 26 + 1, 2 ** 31, 2 ** 32 - 1]) {
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

  it('claims a body of more than 8 KiB before it is let in: it is cut off, but may send one later', async () => {
    const { bench, lamp } = await benchWithLamp();
    bench.server.offer('echo', { kind: 'inout', run: ({ payload }) => payload });
    const before = new RawDevice(bench.memory());
    before.send(Buffer.concat([hex('03'), varint(8193)]));
    await before.closed;
    const device = await bench.device();
    const text = 'x'.repeat(20_000);
    device.send(message(Type.RUN, varintField(1, 7), psonField(3, text), psonField(4, 'echo')));
    assert.equal((await device.next()).payload, text);
    await assertUnharmed(bench, lamp);
  });

  it('sends ten messages a minute that do not decode: the tenth ends it, each is answered', async () => {
    const { bench, lamp } = await benchWithLamp();
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

  it('nests deeply, and claims counts that nothing follows', async () => {
    const { bench, lamp } = await benchWithLamp();
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

  it('asks for more at once than the server works on', async () => {
    const { bench, lamp } = await benchWithLamp();
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

  it('opens more streams than there may be', async () => {
    const { bench, lamp } = await benchWithLamp();
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

  it('does not read what it asks for: it is given up, and what waits for it is bounded', async () => {
    const { bench, lamp } = await benchWithLamp();
    const blob = Buffer.alloc(30_000);
    bench.server.offer('blob', { kind: 'output', run: () => blob });
    const wire = bench.memory({ windowBytes: 65_536, highWaterMark: 65_536 });
    const device = await bench.device({}, wire);
    const stuck = bench.server.device(PUMP)!;
    wire.pause();
    for (let id = 1; id <= 2000; id++) device.send(device.build(Type.RUN, { id, resource: 'blob' }));
    await bench.clock.settle();
    const waiting = sessionOf(stuck).transport.bufferedBytes;
    assert.ok(waiting > 1024 * 1024 && waiting < 8 * 1024 * 1024, `${waiting} bytes`);
    await assert.rejects(bench.server.call(PUMP, 'level', { payload: 1 }), { code: 'IOTMP_ERR_BUSY' });
    await assertUnharmed(bench, lamp);
    await bench.clock.advance(30_000);
    assert.equal(bench.server.device(PUMP), undefined);
    assert.equal(bench.log.at(-1), 'disconnected anna/pump: IOTMP_ERR_BUSY');
    await assertUnharmed(bench, lamp);
  });

  it('floods with unknown types: they are skipped, and one warning tells', async () => {
    const { bench, lamp } = await benchWithLamp();
    const device = await bench.device();
    for (let i = 0; i < 5000; i++) device.send(hex('1f 02 08 01'));
    await device.barrier();
    assert.deepEqual(bench.warnings, ['anna/pump: messages of unknown type 31 are skipped']);
    await assertUnharmed(bench, lamp);
  });

  it('floods with KEEP_ALIVE: each is echoed', async () => {
    const { bench, lamp } = await benchWithLamp();
    const device = await bench.device();
    device.send(Buffer.from('0500'.repeat(5000), 'hex'));
    for (let i = 0; i < 5000; i++) await device.next(Type.KEEP_ALIVE);
    await assertUnharmed(bench, lamp);
  });

  it('sends STREAM_DATA under every id: each is told to stop once, up to a bound', async () => {
    const { bench, lamp } = await benchWithLamp();
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

describe('hostile message', () => {
  it('in any field of any type neither throws nor leaves a request without its answer', async () => {
    const { bench, lamp } = await benchWithLamp();
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
      { numRuns: times(300) },
    );
    await assertUnharmed(bench, lamp);
  });
});
