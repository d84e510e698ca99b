import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { BrokerBench, PUMP } from '../support/broker-fixture';
import { RawDevice } from '../support/raw-device';
import { hex, message, paddedVarint, psonField, Type, varintField } from '../support/raw-message';
import { comeBack, listen, playMicro } from './fixtures';
import { sessionOf } from '../support/device-session';

const HERE = { host: '127.0.0.1', tcpPort: 0 };
const SENSOR = { user: 'user1', device: 'sensor1', credential: 'secret123' };

describe('Microcontroller 3, CONNECT', () => {
  it('as captured is let in, with and without pv, ka and at', async () => {
    const bench = await BrokerBench.start({ devices: [SENSOR] });
    const device = new RawDevice(bench.memory());
    device.send(hex('03 1e | 08 e7 8a 01 | 1a e3 85 7573657231 87 73656e736f7231 89 736563726574313233'));
    assert.equal((await device.next()).bytes.toString('hex'), '010408e78a01');
    const newer = new RawDevice(bench.memory());
    const { user, device: name, credential } = SENSOR;
    newer.send(
      message(
        Type.CONNECT,
        varintField(1, 1),
        hex('12 c3 82 7076 01 82 6b61 1f 3c 82 6174 00'),
        psonField(3, [user, name, credential]),
      ),
    );
    assert.equal((await newer.next()).type, Type.OK);
  });

  it('may have the id 0, as the firmware does not avoid it: it is answered all the same', async () => {
    const bench = await BrokerBench.start();
    const device = new RawDevice(bench.memory());
    device.send(message(Type.CONNECT, varintField(1, 0), psonField(3, ['anna', 'pump', 'secret'])));
    assert.equal((await device.next()).bytes.toString('hex'), '01020800');
  });

  it('is answered before anything else, also on a take-over with streams waiting', async () => {
    const bench = await BrokerBench.start();
    for (const interval of [0, 100]) listen(bench, 'out', interval);
    for (let i = 0; i < 3; i++) {
      const device = new RawDevice(bench.memory());
      device.connect();
      assert.equal((await device.next()).type, Type.OK);
      assert.ok((await device.next()).type > Type.RUN, 'START_STREAM, or DESCRIBE before it');
    }
  });

  it('is answered with OK without anything in it but the id', async () => {
    const { device } = await playMicro();
    assert.deepEqual(device.received[0]?.keys, [0x08]);
  });

  it('that is refused is answered with ERROR at once, and the connection closed', async () => {
    const bench = await BrokerBench.start(HERE);
    const device = new RawDevice(await bench.tcp(), { credential: 'wrong' });
    device.connect();
    assert.equal((await device.next()).type, Type.ERROR);
    await device.serverEnded;
    assert.equal(device.chunks.length, 1);
    device.wire.end();
    await device.closed;
  });
});

describe('Microcontroller 5, limits', () => {
  it('sends no body past 32768 bytes: that is an error here, and the connection lives', async () => {
    const { bench, device } = await playMicro();
    device.serves = false;
    // Seven bytes for payload tag and size, three for the resource, two to four for the stream id.
    const overhead = async (): Promise<number> => {
      const call = bench.server.call(PUMP, 'x', { payload: Buffer.alloc(32_000) });
      const { id, body } = await device.next(Type.RUN);
      device.ok(id!);
      await call;
      return body.length - 32_000;
    };
    const session = sessionOf(bench.server.device(PUMP));
    while (session.ids.next(() => false) !== 20_000);
    const room = 32_768 - (await overhead());
    const full = bench.server.call(PUMP, 'x', { payload: Buffer.alloc(room) });
    const run = await device.next(Type.RUN);
    assert.equal(run.body.length, 32_768);
    device.ok(run.id!);
    await full;
    const count = device.received.length;
    await assert.rejects(bench.server.call(PUMP, 'x', { payload: Buffer.alloc(room + 1) }), {
      code: 'IOTMP_ERR_TOO_LARGE',
    });
    await device.barrier();
    assert.equal(device.received.length, count + 1);
  });

  it('answers a call of the device with ERROR when the answer is too large for it', async () => {
    const { bench, device } = await playMicro();
    bench.server.offer('log', { kind: 'output', run: () => 'x'.repeat(40_000) });
    device.send(device.build(Type.RUN, { id: 5, resource: 'log' }));
    const answer = await device.next();
    assert.deepEqual([answer.type, answer.id, answer.parameters], [Type.ERROR, 5, 413]);
  });

  it('keeps to the 4096 bytes of the first versions where CONNECT tells them', async () => {
    const bench = await BrokerBench.start();
    const device = new RawDevice(bench.memory());
    device.send(
      message(
        Type.CONNECT,
        varintField(1, 1),
        psonField(2, { mm: 4096 }),
        psonField(3, ['anna', 'pump', 'secret']),
      ),
    );
    await device.next();
    await assert.rejects(bench.server.call(PUMP, 'x', { payload: Buffer.alloc(4096) }), {
      code: 'IOTMP_ERR_TOO_LARGE',
    });
  });

  it('takes a message of 70011 bytes from it', async () => {
    const { bench, device } = await playMicro();
    const sizes: number[] = [];
    bench.server.offer('log', {
      kind: 'input',
      run: ({ payload }) => void sizes.push((payload as string).length),
    });
    device.send(device.build(Type.RUN, { id: 5, payload: 'x'.repeat(70_000), resource: 'log' }));
    await device.next(Type.OK);
    assert.deepEqual(sizes, [70_000]);
  });

  it('takes padded varints, extended small values and fields of unknown numbers', async () => {
    const { bench, device } = await playMicro();
    bench.server.offer('echo', { kind: 'inout', run: ({ payload }) => payload });
    const echo = async (...fields: Buffer[]): Promise<unknown> => {
      device.send(message(Type.RUN, ...fields, psonField(4, 'echo')));
      const { id, payload } = await device.next();
      assert.equal(id, 5);
      return payload;
    };
    const paddedId = Buffer.concat([hex('08'), paddedVarint(5, 5)]);
    assert.equal(await echo(paddedId, hex('1a 1f 05')), 5);
    assert.equal(await echo(varintField(1, 5), hex('1a 7f 02')), null);
    assert.equal(
      await echo(varintField(1, 5), hex('28 01 42 c1 81 78 01 8201 82 7a7a'), hex('18 85 80 80 80 00')),
      5,
    );
    assert.equal(await echo(psonField(1, 5), hex('18 07')), 7);
    const bytes = message(Type.RUN, varintField(1, 5), hex('18 09'), psonField(4, 'echo'));
    device.send(Buffer.concat([hex('86 80 80 80 00'), paddedVarint(bytes.length - 2, 5), bytes.subarray(2)]));
    assert.equal((await device.next()).payload, 9);
  });

  it('answers 2000 requests in a row in order, duplicate ids included', async () => {
    const { bench, device } = await playMicro();
    let count = 0;
    bench.server.offer('next', { kind: 'output', run: () => count++ });
    const request = device.build(Type.RUN, { id: 9158, resource: 'next' });
    device.send(Buffer.concat(Array.from({ length: 2000 }, () => request)));
    for (let i = 0; i < 2000; i++) assert.equal((await device.next()).payload, i);
  });
});

describe('Microcontroller 6, stream ids', () => {
  it('of the server stay within 1 to 65535, and are varints', async () => {
    const { bench, device } = await playMicro();
    device.serves = false;
    const session = sessionOf(bench.server.device(PUMP));
    while (session.ids.next(() => false) !== 65_533);
    const ids: number[] = [];
    for (let i = 0; i < 4; i++) {
      const call = bench.server.call(PUMP, 'x', { payload: 1 });
      const { id, keys } = await device.next(Type.RUN);
      assert.equal(keys[0], 0x08);
      device.ok(id!);
      await call;
      ids.push(id!);
    }
    assert.deepEqual(ids, [65_534, 65_535, 1, 2]);
  });

  it('0 or none in an answer matches nothing', async () => {
    const { bench, device } = await playMicro({}, { requestTimeoutMs: 1000 });
    device.serves = false;
    const call = assert.rejects(bench.server.call(PUMP, 'x', { payload: 1 }), { code: 'IOTMP_ERR_TIMEOUT' });
    await device.next(Type.RUN);
    device.send(hex('01 02 08 00 | 01 00 | 02 02 08 00'));
    await device.barrier();
    await bench.clock.advance(1000);
    await call;
  });

  it('may be PSON in an answer', async () => {
    const { bench, device } = await playMicro();
    device.serves = false;
    const call = bench.server.call(PUMP, 'x', { payload: 1 });
    const { id } = await device.next(Type.RUN);
    device.send(message(Type.OK, psonField(1, id), hex('18 07')));
    assert.equal((await call).payload, 7);
  });
});

describe('Microcontroller 11, keep-alive and reconnect', () => {
  it('of early firmware comes only after 60 s without incoming traffic: 90 s of silence are allowed', async () => {
    const { bench, device } = await playMicro();
    for (let i = 0; i < 5; i++) {
      await bench.clock.advance(80_000);
      device.send(hex('0500'));
      await bench.clock.settle();
    }
    assert.equal(device.ended, false);
  });

  it('floods when its interval is set to 0: each is echoed, and nothing else happens', async () => {
    const { bench, device } = await playMicro();
    for (let i = 0; i < 194; i++) device.send(hex('0500'));
    for (let i = 0; i < 194; i++) await device.next(Type.KEEP_ALIVE);
    assert.equal(device.ended, false);
    assert.deepEqual(bench.warnings, []);
  });

  it('reads nothing behind DISCONNECT: it is the last message', async () => {
    const { bench, device } = await playMicro();
    device.resources.set('out', { fn: 3, run: () => 1 });
    listen(bench, 'out', 1000);
    await device.next(Type.START_STREAM);
    await bench.clock.settle();
    await bench.device();
    await device.closed;
    assert.equal(device.received.at(-1)?.type, Type.DISCONNECT);
    assert.equal(device.all(Type.DISCONNECT).length, 1);
  });

  it('comes back at once after a kick, and is served again', async () => {
    const play = await playMicro();
    play.device.resources.set('out', { fn: 3, run: () => 'sample' });
    const { samples } = listen(play.bench, 'out', 1000);
    await play.device.next(Type.START_STREAM);
    await play.device.barrier();
    for (let i = 0; i < 3; i++) {
      play.bench.server.device(PUMP)!.close();
      const device = await comeBack(play);
      await device.next(Type.START_STREAM);
      await device.barrier();
    }
    assert.deepEqual(samples, ['sample', 'sample', 'sample', 'sample']);
  });

  it('never notices a dropped connection on some boards: its slot is free after 90 s, and the next one is let in', async () => {
    const bench = await BrokerBench.start(HERE);
    const device = await bench.device({}, await bench.tcp());
    await bench.clock.advance(90_000);
    await device.serverEnded;
    assert.equal(bench.server.deviceCount, 0);
    await bench.device({}, await bench.tcp());
  });
});
