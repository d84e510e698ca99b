import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { BrokerBench, PUMP } from '../support/broker-fixture';
import { hex, message, Type, varint, varintField, type RawMessage } from '../support/raw-message';
import { playLinux, type Play } from './fixtures';

/** Has the server call the device, which answers with these bytes behind the stream id's. */
async function answerTo(
  { bench, device }: Play,
  type: number,
  before: string,
  after = '',
): Promise<{ payload: unknown; statusCode: number }> {
  device.serves = false;
  const call = bench.server.call(PUMP, 'out', { payload: 1 });
  const { id } = await device.next(Type.RUN);
  device.send(message(type, hex(before), varintField(1, id!), hex(after)));
  return call;
}

/** What reaches the device when the server calls it with a payload. */
async function sent({ bench, device }: Play, payload: unknown): Promise<RawMessage> {
  device.serves = false;
  const call = bench.server.call(PUMP, 'in/dump', { payload });
  const run = await device.next(Type.RUN);
  device.ok(run.id!);
  await call;
  return run;
}

/** The bytes of the payload field, which stands between the stream id and the resource. */
function payloadOf({ body, id, resource }: RawMessage): string {
  const start = 1 + varint(id!).length;
  const end = body.length - 2 - String(resource).length;
  return body.subarray(start, end).toString('hex');
}

describe('Linux 1, framing: limits', () => {
  it('sends no body past 262144 bytes: that is an error here', async () => {
    const play = await playLinux();
    const { bench, device } = play;
    device.serves = false;
    // Stream id 2 to 4 bytes, payload 1 + 5, resource 1 + 2 of a name of one character.
    const fits = bench.server.call(PUMP, 'x', { payload: Buffer.alloc(262_100) });
    const run = await device.next(Type.RUN);
    device.ok(run.id!);
    await fits;
    const room = 262_144 - run.body.length;
    const exactly = bench.server.call(PUMP, 'x', { payload: Buffer.alloc(262_100 + room - 3) });
    const full = await device.next(Type.RUN);
    assert.ok(full.body.length <= 262_144 && full.body.length > 262_138);
    device.ok(full.id!);
    await exactly;
    const count = device.received.length;
    await assert.rejects(bench.server.call(PUMP, 'x', { payload: Buffer.alloc(262_144) }), {
      code: 'IOTMP_ERR_TOO_LARGE',
    });
    await device.barrier();
    assert.equal(device.received.length, count + 1, 'only the echo');
    assert.equal(device.ended, false);
  });

  it('sends types as one byte and sizes in the shortest form', async () => {
    const play = await playLinux();
    for (const size of [1, 100, 130, 20_000, 200_000]) {
      const { bytes, body } = await sent(play, Buffer.alloc(size, 1));
      assert.deepEqual([...bytes.subarray(0, bytes.length - body.length)], [6, ...varint(body.length)]);
    }
  });

  it('takes an answer of 1,000,012 bytes where the limit of the server allows it', async () => {
    const play = await playLinux({ maxMessageSize: 1_100_000 });
    const size = 1_000_012 - 11;
    const { payload } = await answerTo(
      play,
      Type.OK,
      `1a bf ${varint(size).toString('hex')} ${'00'.repeat(size)}`,
    );
    assert.ok(Buffer.isBuffer(payload));
    assert.equal(payload.length, size);
  });

  it('fails the request whose answer is past its own limit, and keeps the connection', async () => {
    const play = await playLinux();
    const answer = answerTo(
      play,
      Type.OK,
      `1a bf ${varint(300_000).toString('hex')} ${'00'.repeat(300_000)}`,
    );
    await assert.rejects(answer, { code: 'IOTMP_ERR_TOO_LARGE', statusCode: 413 });
    assert.equal((await answerTo(play, Type.OK, '1a 07')).payload, 7);
    assert.deepEqual(play.bench.log, ['connected anna/pump']);
  });
});

describe('Linux 1, framing: fields', () => {
  it('come in any order, and more than once: the last counts', async () => {
    const play = await playLinux();
    assert.equal((await answerTo(play, Type.OK, '1a 07')).payload, 7);
    assert.equal((await answerTo(play, Type.OK, '', '1a 07')).payload, 7);
    assert.equal((await answerTo(play, Type.OK, '1a 05 10 01', '1a 07')).payload, 7);
    assert.equal((await answerTo(play, Type.OK, '2a 83 616263 38 05', '1a 07')).payload, 7);
  });

  it('may put the payload of a sample before its stream id', async () => {
    const { bench, device } = await playLinux();
    const samples: unknown[] = [];
    device.resources.set('out', { fn: 3, run: () => 1 });
    bench.server.subscribe(PUMP, 'out', { intervalMs: 1000, onSample: (sample) => samples.push(sample) });
    const { id } = await device.next(Type.START_STREAM);
    device.send(message(Type.STREAM_DATA, hex('1a c1 81 6e 02'), varintField(1, id!)));
    await device.barrier();
    assert.deepEqual(samples, [1, { n: 2 }]);
  });
});

describe('Linux 1, encoding: values that arrive', () => {
  const values: [string, string, unknown][] = [
    ['an integer is a varint of the field', '18 2a', 42],
    ['zero', '18 00', 0],
    ['a negative integer is lost: it is 0 on the wire', '18 00', 0],
    ['2^64-1 cannot be told from -1', '18 ff ff ff ff ff ff ff ff ff 01', -1],
    ['a float without a fraction is a PSON integer', '1a 15', 21],
    ['a negative one, too, and keeps its sign', '1a 35', -21],
    ['-0.0 is 0', '1a 00', 0],
    ['1e10 is an integer', '1a 1f 80 c8 af a0 25', 10_000_000_000],
    ['1.5f is a 32-bit float', '1a 40 00 00 c0 3f', 1.5],
    ['0.1 is a 64-bit float', '1a 41 9a 99 99 99 99 99 b9 3f', 0.1],
    ['0.1f is shown as the shortest decimal', '1a 40 cd cc cc 3d', 0.1],
    ['NaN is a 64-bit float', '1a 41 00 00 00 00 00 00 f8 7f', NaN],
    ['infinity is a 32-bit float', '1a 40 00 00 80 7f', Infinity],
    ['true', '1a 61', true],
    ['an output that wrote nothing is null', '1a 62', null],
    ['bytes are bytes', '1a a4 00 01 02 ff', Buffer.from([0, 1, 2, 255])],
    ['2^63-1 inside PSON', '1a e1 1f ff ff ff ff ff ff ff ff 7f', [2n ** 63n - 1n]],
    ['-2^63 inside PSON', '1a e1 3f 80 80 80 80 80 80 80 80 80 01', [-(2n ** 63n)]],
    ['a string cut at its NUL', '1a 82 61 62', 'ab'],
    ['an array', '1a e3 01 22 62', [1, -2, null]],
  ];
  for (const [name, digits, value] of values) {
    it(name, async () => {
      const play = await playLinux();
      assert.deepEqual((await answerTo(play, Type.OK, digits)).payload, value);
    });
  }

  it('may change their wire type from sample to sample', async () => {
    const { bench, device } = await playLinux();
    const samples: unknown[] = [];
    device.resources.set('celsius', { fn: 3, run: () => 0 });
    bench.server.subscribe(PUMP, 'celsius', { intervalMs: 1000, onSample: (sample) => samples.push(sample) });
    const { id } = await device.next(Type.START_STREAM);
    for (const digits of ['1a 40 00 00 ac 41', '1a 16', '18 17', '1a 41 9a 99 99 99 99 99 37 40']) {
      device.send(message(Type.STREAM_DATA, hex(digits), varintField(1, id!)));
    }
    await device.barrier();
    assert.deepEqual(samples, [0, 21.5, 22, 23, 23.6]);
  });
});

describe('Linux 1, encoding: values that are sent', () => {
  const values: [string, unknown, string][] = [
    ['2^32-1 is PSON', 4_294_967_295, '1a1fffffffff0f'],
    ['2^32 is PSON, as varints are cut to 32 bits', 2 ** 32, '1a1f8080808010'],
    ['2^53-1', Number.MAX_SAFE_INTEGER, '1a1fffffffffffffff0f'],
    ['2^64-1', 2n ** 64n - 1n, '1a1fffffffffffffffffff01'],
    ['-7', -7, '1a27'],
    ['-2^63', -(2n ** 63n), '1a3f80808080808080808001'],
    ['22.0', 22.0, '1a16'],
    ['true', true, '1a61'],
    ['a lone surrogate is valid UTF-8 in the end', '\ud800', '1a83efbfbd'],
  ];
  for (const [name, value, digits] of values) {
    it(name, async () => {
      assert.equal(payloadOf(await sent(await playLinux(), value)), digits);
    });
  }

  it('are never nested deeper than a device stands', async () => {
    const { bench, device } = await playLinux();
    let nested: unknown = [];
    for (let i = 0; i < 30_000; i++) nested = [nested];
    await assert.rejects(bench.server.call(PUMP, 'in/dump', { payload: nested }), {
      code: 'IOTMP_ERR_ENCODE',
    });
    assert.equal(device.received.length, 1);
  });
});

describe('Linux 1, TCP without TCP_NODELAY', () => {
  it('brings messages glued together or cut anywhere', async () => {
    const bench = await BrokerBench.start({ host: '127.0.0.1', tcpPort: 0 });
    const device = await bench.device({ dialect: 'linux' }, await bench.tcp());
    device.serves = false;
    const samples: unknown[] = [];
    bench.server.subscribe(PUMP, 'out', { intervalMs: 1000, onSample: (sample) => samples.push(sample) });
    const { id } = await device.next(Type.START_STREAM);
    const bytes = Buffer.concat([
      device.build(Type.OK, { id: id! }),
      ...[1, 2, 3].map((n) => device.build(Type.STREAM_DATA, { id: id!, payload: { n } })),
    ]);
    device.send(bytes.subarray(0, 1));
    device.send(bytes.subarray(1, 9));
    device.send(bytes.subarray(9));
    await device.barrier();
    assert.deepEqual(samples, [{ n: 1 }, { n: 2 }, { n: 3 }]);
  });
});
