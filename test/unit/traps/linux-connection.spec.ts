import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { BrokerBench, LAMP, PUMP } from '../support/broker-fixture';
import { TEST_ONLY_CERTIFICATE, TEST_ONLY_KEY } from '../support/certificate';
import { CONNECT_ID, RawDevice } from '../support/raw-device';
import { hex, message, psonField, Type, varintField } from '../support/raw-message';
import { tcpWire } from '../support/raw-wire';
import { comeBack, listen, playLinux } from './fixtures';
import { sessionOf } from '../support/device-session';

const HERE = { host: '127.0.0.1' };

describe('Linux 2, CONNECT', () => {
  it('has the id 17767 on every device, and its first request 9158: they do not meet', async () => {
    const bench = await BrokerBench.start();
    bench.server.offer('who', { kind: 'output', run: ({ caller }) => caller?.device });
    const [pump, lamp] = [
      await bench.device({ dialect: 'linux' }),
      await bench.device({ ...LAMP, dialect: 'linux' }),
    ];
    for (const device of [pump, lamp]) {
      assert.equal(device.received[0]?.id, CONNECT_ID);
      device.send(device.build(Type.RUN, { id: 9158, resource: 'who' }));
    }
    assert.deepEqual([(await pump.next()).payload, (await lamp.next()).payload], ['pump', 'lamp']);
  });

  it('is answered first, even when streams are wanted at once', async () => {
    const bench = await BrokerBench.start();
    for (const interval of [0, 1000]) listen(bench, 'out', interval);
    bench.server.on('connected', (connected) => {
      const session = sessionOf(connected);
      session.call('cmd', { payload: 'x' }).catch(() => undefined);
    });
    const device = new RawDevice(bench.memory(), { dialect: 'linux' });
    device.serves = false;
    device.connect();
    const types = [await device.next(), await device.next(), await device.next()].map(({ type }) => type);
    assert.equal(types[0], Type.OK);
    assert.deepEqual(types.slice(1).sort(), [Type.RUN, Type.START_STREAM]);
  });

  it('is refused while the device keeps its old connection open for 5 s: the server cuts it after 2 s', async () => {
    const bench = await BrokerBench.start({ ...HERE, tcpPort: 0 });
    const device = new RawDevice(await bench.tcp(), { dialect: 'linux', credential: 'wrong' });
    device.connect();
    assert.equal((await device.next()).type, Type.ERROR);
    await device.serverEnded;
    assert.equal(
      bench.clock.pending,
      3,
      'the grace of the connection, the log of refused logins, and the waiting room',
    );
    await bench.clock.advance(2_000);
    assert.equal(bench.clock.pending, 1);
    await bench.clock.advance(120_000);
    assert.equal(bench.clock.pending, 0);
  });

  it('comes again every 5 s for ever with the wrong credential: each is refused within 10 s', async () => {
    const bench = await BrokerBench.start();
    for (let attempt = 0; attempt < 30; attempt++) {
      const device = new RawDevice(bench.memory(), { dialect: 'linux', credential: 'wrong' });
      device.connect();
      await bench.clock.advance(5_000);
      assert.equal(device.received[0]?.type, Type.ERROR);
      assert.equal(device.received[0].parameters, 2);
    }
    assert.equal(bench.refusedLogins.length, 30);
    await bench.device({ dialect: 'linux' });
  });
});

describe('Linux 2, end of a connection', () => {
  it('ignores DISCONNECT: the socket is closed, too, and what it still sends is dropped', async () => {
    const bench = await BrokerBench.start({ ...HERE, tcpPort: 0 });
    let ran = 0;
    bench.server.offer('count', { kind: 'run', run: () => ran++ });
    const older = await bench.device({ dialect: 'linux' }, await bench.tcp());
    const newer = await bench.device({ dialect: 'linux' }, await bench.tcp());
    await older.serverEnded;
    assert.equal(older.all(Type.DISCONNECT).length, 1);
    older.send(older.build(Type.RUN, { id: 5, resource: 'count' }));
    await newer.barrier();
    await bench.clock.advance(2_000);
    assert.equal(ran, 0);
    assert.equal(bench.server.deviceCount, 1);
  });

  it('closes its side only 5 s after ours: nothing of it is left after 2 s', async () => {
    const bench = await BrokerBench.start({ ...HERE, tcpPort: 0 });
    const device = await bench.device({ dialect: 'linux' }, await bench.tcp());
    bench.server.device(PUMP)?.close();
    await device.serverEnded;
    assert.deepEqual(bench.log.slice(-1), ['disconnected anna/pump: IOTMP_ERR_CLOSED']);
    await bench.clock.advance(2_000);
    assert.equal(bench.clock.pending, 0);
  });

  it('comes back at once after a kick', async () => {
    const play = await playLinux();
    for (let i = 0; i < 5; i++) {
      play.bench.server.device(PUMP)?.close();
      await play.device.closed;
      const again = await play.bench.device({ dialect: 'linux' });
      await again.barrier();
    }
    assert.equal(play.bench.server.deviceCount, 1);
    assert.equal(play.bench.log.length, 11);
  });
});

describe('Linux 2, KEEP_ALIVE', () => {
  it('comes every 60 s from login on, and is enough', async () => {
    const { bench, device } = await playLinux();
    for (let minute = 0; minute < 10; minute++) {
      await bench.clock.advance(60_000);
      device.send(hex('0500'));
    }
    await bench.clock.settle();
    assert.equal(device.ended, false);
  });

  it('is never sent by the server of its own accord: the device would not answer', async () => {
    const { bench, device } = await playLinux();
    await bench.clock.advance(89_000);
    assert.equal(device.received.length, 1);
  });
});

describe('Linux 2, unknown and unwanted messages', () => {
  it('from the device harm nothing: OK and ERROR that nobody waits for, and a CONNECT', async () => {
    const { bench, device } = await playLinux();
    for (const digits of [
      '01 02 08 09',
      '02 02 08 09',
      '01 00',
      '02 00',
      '0b 02 08 09',
      '7f 02 08 09',
      '64 00',
    ]) {
      device.send(hex(digits));
    }
    await device.barrier();
    assert.equal(device.received.length, 2, 'the OK and the echo');
    assert.equal(bench.server.deviceCount, 1);
  });
});

describe('Linux 2, state that survives a reconnect', () => {
  it('sends samples of an old stream: that id gets one STOP_STREAM, and nobody hears them', async () => {
    const play = await playLinux();
    play.device.resources.set('out', { fn: 3, run: () => 'fresh' });
    const { samples } = listen(play.bench, 'out', 1000);
    const old = await play.device.next(Type.START_STREAM);
    const device = await comeBack(play);
    const fresh = await device.next(Type.START_STREAM);
    assert.notEqual(fresh.id, old.id);
    for (let i = 0; i < 20; i++) device.sample(old.id!, `stale ${i}`);
    await device.barrier();
    assert.deepEqual(
      device.all(Type.STOP_STREAM).map(({ id }) => id),
      [old.id],
    );
    // The OK that the device answers it with is for nobody.
    device.sample(fresh.id!, 'next');
    await device.barrier();
    assert.deepEqual(samples, ['fresh', 'fresh', 'next']);
    assert.equal(device.all(Type.STOP_STREAM).length, 1);
  });

  it('delivers an answer of the old connection, glued in front of the next: it matches nothing', async () => {
    const play = await playLinux();
    play.device.serves = false;
    const lost = assert.rejects(play.bench.server.call(PUMP, 'cmd', { payload: 'slow' }), {
      code: 'IOTMP_ERR_CLOSED',
    });
    const old = await play.device.next(Type.RUN);
    const device = await comeBack(play);
    await lost;
    const calls = [1, 2, 3].map((payload) => play.bench.server.call(PUMP, 'cmd', { payload }));
    const runs = [await device.next(Type.RUN), await device.next(Type.RUN), await device.next(Type.RUN)];
    assert.ok(runs.every(({ id }) => id !== old.id));
    const stale = device.build(Type.OK, { id: old.id!, payload: 'stale' });
    device.send(
      Buffer.concat([stale, ...runs.map(({ id }) => device.build(Type.OK, { id: id!, payload: 'fresh' }))]),
    );
    for (const call of calls) assert.equal((await call).payload, 'fresh');
  });

  it('delivers an answer of the old connection before anything is asked', async () => {
    const play = await playLinux();
    play.device.serves = false;
    const lost = assert.rejects(play.bench.server.call(PUMP, 'cmd', { payload: 'slow' }));
    const old = await play.device.next(Type.RUN);
    const device = await comeBack(play);
    await lost;
    device.error(old.id!, { error: 'stale' }, 500);
    device.ok(old.id!, 'stale');
    await device.barrier();
    assert.deepEqual(play.bench.warnings, []);
    assert.equal(device.received.length, 2);
  });

  it('sends what an old terminal prints, and STOP_STREAM for an old transfer', async () => {
    const play = await playLinux();
    play.device.serves = false;
    const opening = play.bench.server.device(PUMP)!.openStream('$terminal/1', { onData: () => undefined });
    const old = await play.device.next(Type.START_STREAM);
    play.device.ok(old.id!);
    await opening;
    const device = await comeBack(play);
    device.sample(old.id!, Buffer.from('$ '));
    assert.equal((await device.next(Type.STOP_STREAM)).id, old.id);
    device.error(old.id!);
    device.send(device.build(Type.STOP_STREAM, { id: old.id! }));
    await device.barrier();
    assert.equal(device.all(Type.STOP_STREAM).length, 1);
    assert.equal(play.bench.server.deviceCount, 1);
  });

  it('answers a request that has timed out: the answer matches nothing that comes later', async () => {
    const { bench, device } = await playLinux({ requestTimeoutMs: 1000 });
    device.serves = false;
    const late = assert.rejects(bench.server.call(PUMP, 'cmd', { payload: 1 }), {
      code: 'IOTMP_ERR_TIMEOUT',
    });
    const { id: lateId } = await device.next(Type.RUN);
    await bench.clock.advance(1000);
    await late;
    const next = bench.server.call(PUMP, 'cmd', { payload: 2 });
    const { id } = await device.next(Type.RUN);
    device.ok(lateId!, 'late');
    device.ok(id!, 'in time');
    assert.equal((await next).payload, 'in time');
  });

  it('keeps ids apart also where they wrap: those in use are left out', async () => {
    const { bench, device } = await playLinux();
    device.serves = false;
    const session = sessionOf(bench.server.device(PUMP));
    while (session.ids.next(() => false) !== 65_534);
    const calls = [1, 2, 3].map((payload) => bench.server.call(PUMP, 'cmd', { payload }));
    const ids = [await device.next(Type.RUN), await device.next(Type.RUN), await device.next(Type.RUN)].map(
      ({ id }) => id!,
    );
    assert.deepEqual(ids, [65_535, 1, 2]);
    while (session.ids.next(() => false) !== 65_534);
    const more = bench.server.call(PUMP, 'cmd', { payload: 4 });
    const fourth = await device.next(Type.RUN);
    assert.equal(fourth.id, 3);
    for (const id of [...ids, 3]) device.ok(id, id);
    assert.deepEqual(
      (await Promise.all([...calls, more])).map(({ payload }) => payload),
      [65_535, 1, 2, 3],
    );
  });
});

describe('Linux 10, TLS', () => {
  it('1.2 with the server name of an address is answered, also by hand', async () => {
    const tls = { key: TEST_ONLY_KEY, cert: TEST_ONLY_CERTIFICATE };
    const bench = await BrokerBench.start({ ...HERE, tlsPort: 0, tls });
    const wire = bench.track(await tcpWire(bench.port('tls')));
    const answer = new Promise<Buffer>((resolve) =>
      wire.start({ onChunk: resolve, onEnd: () => undefined, onClose: () => undefined }),
    );
    wire.write(clientHello('127.0.0.1'));
    const first = await answer;
    // A handshake record of TLS 1.2 with a ServerHello, and no alert.
    assert.equal(first.subarray(0, 3).toString('hex'), '160303');
    assert.equal(first[5], 2);
    assert.deepEqual(bench.warnings, []);
  });
});

/** A ClientHello of TLS 1.2 with ECDHE-ECDSA and a server name. */
function clientHello(serverName: string): Buffer {
  const name = Buffer.from(serverName);
  const u16 = (n: number): Buffer => Buffer.from([n >> 8, n & 255]);
  const vector = (body: Buffer): Buffer => Buffer.concat([u16(body.length), body]);
  const extension = (type: number, body: Buffer): Buffer => Buffer.concat([u16(type), vector(body)]);
  const extensions = Buffer.concat([
    extension(0, vector(Buffer.concat([hex('00'), vector(name)]))),
    extension(10, vector(hex('0017 0018 001d'))),
    extension(11, hex('01 00')),
    extension(13, vector(hex('0403 0804 0401'))),
  ]);
  const hello = Buffer.concat([
    hex('0303'),
    Buffer.alloc(32, 7),
    hex('00 0004 c02c c02b 01 00'),
    vector(extensions),
  ]);
  const handshake = Buffer.concat([hex('01 00'), u16(hello.length), hello]);
  return Buffer.concat([hex('16 0301'), vector(handshake)]);
}

describe('Linux, the whole of a session in captured bytes', () => {
  it('logs in, describes itself, serves a RUN and a stream', async () => {
    const bench = await BrokerBench.start({
      devices: [{ user: 'envu', device: 'envd', credential: 'envp' }],
    });
    const device = new RawDevice(bench.memory());
    device.serves = false;
    device.send(hex('03151ae384656e767584656e766484656e767008e78a01'));
    assert.equal((await device.next()).bytes.toString('hex'), '010408e78a01');
    const id = { user: 'envu', device: 'envd' };
    const described = bench.server.device(id)!.describe();
    const request = await device.next(Type.DESCRIBE);
    device.send(
      message(
        Type.OK,
        psonField(3, { 'out/obj': { fn: 3 }, 'in/relay': { fn: 2 } }),
        varintField(1, request.id!),
      ),
    );
    assert.equal((await described).find('in/relay')?.fn, 2);
    const call = bench.server.call(id, 'out/obj');
    const run = await device.next(Type.RUN);
    device.send(
      message(Type.OK, hex('1a c2 87 63656c73697573 40 0000b441 81 6e 03'), varintField(1, run.id!)),
    );
    assert.deepEqual((await call).payload, { celsius: 22.5, n: 3 });
  });
});
