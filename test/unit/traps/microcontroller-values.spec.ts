import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { ServiceCode } from '../../../src/codec/constants';
import type { Value } from '../../../src/types';
import { PUMP } from '../support/broker-fixture';
import { hex, message, Type, varintField } from '../support/raw-message';
import { playMicro } from './fixtures';
import { sessionOf } from '../support/device-session';

describe('Microcontroller 4, values that arrive', () => {
  const values: [string, string, unknown][] = [
    ['an integer is a varint of the field', '18 02', 2],
    ['a negative one is ten bytes', '18 fb ff ff ff ff ff ff ff ff 01', -5],
    ['2^33', '18 80 80 80 80 20', 2 ** 33],
    ['the largest integer', '18 ff ff ff ff ff ff ff ff 7f', 2n ** 63n - 1n],
    ['the smallest integer', '18 80 80 80 80 80 80 80 80 80 01', -(2n ** 63n)],
    ['UINT64_MAX is the same bytes as -1', '18 ff ff ff ff ff ff ff ff ff 01', -1],
    ['100.0 is an integer', '1a 1f 64', 100],
    ['-2.0 is one, too', '1a 22', -2],
    ['-0.0 is 0', '1a 00', 0],
    ['PSON -0 is 0 as well', '1a 20', 0],
    ['3.14f is shown as the shortest decimal', '1a 40 c3 f5 48 40', 3.14],
    ['NaN', '1a 41 00 00 00 00 00 00 f8 7f', NaN],
    ['infinity', '1a 40 00 00 80 7f', Infinity],
    ['minus infinity', '1a 40 00 00 80 ff', -Infinity],
    ['2^53', '1a 1f 80 80 80 80 80 80 80 10', 2n ** 53n],
    ['bytes', '1a a4 de ad be ef', Buffer.from('deadbeef', 'hex')],
    ['a string with NUL', '1a 83 61 00 62', 'a\0b'],
    ['a string that is not UTF-8', '1a 83 61 ff fe', 'a\ufffd\ufffd'],
    ['a map with a key twice: the last counts', '1a c2 81 61 01 81 61 02', { a: 2 }],
  ];
  for (const [name, digits, value] of values) {
    it(name, async () => {
      const { bench, device } = await playMicro();
      device.serves = false;
      const call = bench.server.call(PUMP, 'out', { payload: 1 });
      const { id } = await device.next(Type.RUN);
      device.send(message(Type.OK, varintField(1, id!), hex(digits)));
      assert.deepEqual((await call).payload, value);
    });
  }

  it('counts strings that are not UTF-8', async () => {
    const { bench, device } = await playMicro();
    bench.server.offer('echo', { kind: 'inout', run: ({ payload }) => payload });
    device.send(message(Type.RUN, varintField(1, 5), hex('1a 82 ff fe 22 84 6563686f')));
    assert.equal((await device.next()).payload, '\ufffd\ufffd');
    assert.equal(sessionOf(bench.server.device(PUMP)).inbox.invalidTexts, 1);
  });

  it('may be a negative code of set_return_code: no failure', async () => {
    const { bench, device } = await playMicro();
    device.serves = false;
    const call = bench.server.call(PUMP, 'out', { payload: 1 });
    const { id } = await device.next(Type.RUN);
    device.send(message(Type.OK, varintField(1, id!), hex('10 ff ff ff ff ff ff ff ff ff 01 18 05')));
    const reply = await call;
    assert.deepEqual([reply.payload, reply.statusCode], [5, -1]);
  });

  it('may be of any kind in one stream, with integers as varint or as PSON', async () => {
    const { bench, device } = await playMicro();
    device.resources.set('t', { fn: 3, run: () => 0 });
    const samples: unknown[] = [];
    bench.server.subscribe(PUMP, 't', { intervalMs: 100, onSample: (sample) => samples.push(sample) });
    const { id } = await device.next(Type.START_STREAM);
    for (const digits of [
      '18 16',
      '1a 16',
      '1a 40 00 00 ac 41',
      '18 ea ff ff ff ff ff ff ff ff 01',
      '1a 36',
      '1a 00',
    ]) {
      device.send(message(Type.STREAM_DATA, varintField(1, id!), hex(digits)));
    }
    device.send(message(Type.STREAM_DATA, hex('18 07'), varintField(1, id!)));
    device.send(message(Type.STREAM_DATA, varintField(1, id!)));
    await device.barrier();
    assert.deepEqual(samples, [0, 22, 22, 21.5, -22, -22, 0, 7, undefined]);
  });
});

describe('Microcontroller 4, values that are sent', () => {
  it('are never a varint field that the device cuts or breaks at: what came as one goes back as PSON', async () => {
    const { bench, device } = await playMicro();
    const properties = new Map<string, Value>();
    bench.server.host.offer(ServiceCode.SET_PROPERTY, {
      kind: 'run',
      run({ path, payload }) {
        properties.set(path, payload ?? null);
      },
    });
    bench.server.host.offer(ServiceCode.READ_PROPERTY, {
      kind: 'output',
      run: ({ path }) => properties.get(path),
    });
    const pairs: [string, string][] = [
      ['18 fb ff ff ff ff ff ff ff ff 01', '1a25'],
      ['18 87 80 80 80 10', '1a1f8780808010'],
      ['18 80 80 80 80 80 80 80 80 80 01', '1a3f80808080808080808001'],
      ['18 ff ff ff ff ff ff ff ff 7f', '1a1fffffffffffffffff7f'],
      ['18 2a', '1a1f2a'],
    ];
    for (const [sent, expected] of pairs) {
      device.send(message(Type.RUN, hex('08 05 10 02'), hex(sent), hex('22 84 70726f70')));
      assert.equal((await device.next()).bytes.toString('hex'), '01020805');
      device.send(hex('06 0a 08 7c 10 01 22 84 70726f70'));
      const answer = await device.next();
      assert.equal(answer.body.toString('hex'), `087c${expected}`);
    }
  });

  it('are PSON in parameters, too', async () => {
    const { bench, device } = await playMicro();
    device.serves = false;
    const call = bench.server.call(PUMP, 'x', { payload: -5, parameters: 2 ** 40 });
    const run = await device.next(Type.RUN);
    assert.deepEqual(run.keys, [0x08, 0x12, 0x1a, 0x22]);
    device.ok(run.id!);
    await call;
  });

  it('are true booleans for what is boolean', async () => {
    const { bench, device } = await playMicro();
    device.serves = false;
    for (const [payload, digits] of [
      [true, '1a61'],
      [false, '1a60'],
      [{ state: true }, '1ac1857374617465' + '61'],
    ] as const) {
      const call = bench.server.call(PUMP, 'led', { payload });
      const run = await device.next(Type.RUN);
      assert.ok(run.body.toString('hex').includes(digits));
      device.ok(run.id!);
      await call;
    }
  });

  it('keep NaN, the infinities and -0 as floats', async () => {
    const { bench, device } = await playMicro();
    device.serves = false;
    for (const payload of [NaN, Infinity, -Infinity, -0]) {
      const call = bench.server.call(PUMP, 'x', { payload });
      const run = await device.next(Type.RUN);
      assert.ok(Object.is(run.payload, payload));
      device.ok(run.id!);
      await call;
    }
  });
});

describe('Microcontroller 7, DESCRIBE', () => {
  it('may tell null for no resources, and null for one that was only touched', async () => {
    const { bench, device } = await playMicro();
    assert.deepEqual((await bench.server.device(PUMP)!.describe()).resources, []);
    device.resources.set('empty', { fn: undefined, run: () => undefined });
    const again = await bench.device();
    again.resources.set('empty', { fn: undefined, run: () => undefined });
    const description = await bench.server.device(PUMP)!.describe();
    assert.equal(description.find('empty')?.fn, undefined);
    assert.equal(description.resources.length, 1);
  });

  it('runs the callback of a resource: a relay stays as it is', async () => {
    const { bench, device } = await playMicro();
    let relay = true;
    device.resources.set('relay', {
      fn: 2,
      run: (input) => {
        relay = typeof input === 'object' && input !== null && 'state' in input && input.state === true;
        return undefined;
      },
    });
    await bench.server.call(PUMP, 'relay', { payload: { state: true } });
    const connected = bench.server.device(PUMP)!;
    await connected.describe();
    await connected.functionOf('relay');
    await assert.rejects(bench.server.call(PUMP, 'relay'), { code: 'IOTMP_ERR_NO_INPUT' });
    assert.deepEqual(bench.server.lastKnown(PUMP)?.get('relay')?.input, { state: true });
    assert.equal(relay, true);
    assert.equal(device.acts.length, 1);
  });
});

describe('Microcontroller 8, RUN', () => {
  it('names a resource by its string, whatever it looks like', async () => {
    const { bench, device } = await playMicro();
    for (const name of ['4', 'sensors/temperature', '$ota/write', 'ünï']) {
      device.resources.set(name, { fn: 3, run: () => name });
      assert.equal((await bench.server.call(PUMP, name, { payload: 1 })).payload, name);
    }
    assert.ok(device.all(Type.RUN).every(({ keys }) => keys.at(-1) === 0x22));
  });

  it('of an in/out with nothing reads it, as the person asked', async () => {
    const { bench, device } = await playMicro();
    device.resources.set('dimmer', { fn: 4, run: (input) => input ?? 'state' });
    assert.equal((await bench.server.call(PUMP, 'dimmer')).payload, 'state');
    assert.equal(device.all(Type.RUN)[0]?.payload, undefined);
  });

  it('on a resource that streams is followed by an echo on its stream', async () => {
    const { bench, device } = await playMicro();
    const samples: unknown[] = [];
    device.resources.set('dimmer', { fn: 4, run: (input) => input ?? 5 });
    bench.server.subscribe(PUMP, 'dimmer', { intervalMs: 0, onSample: (sample) => samples.push(sample) });
    const { id } = await device.next(Type.START_STREAM);
    device.serves = false;
    const call = bench.server.call(PUMP, 'dimmer', { payload: 7 });
    const run = await device.next(Type.RUN);
    device.send(
      Buffer.concat([
        device.build(Type.OK, { id: run.id!, payload: 7 }),
        device.build(Type.STREAM_DATA, { id: id!, payload: 7 }),
      ]),
    );
    assert.equal((await call).payload, 7);
    await device.barrier();
    assert.deepEqual(samples, [5, 7]);
  });

  it('may meet a device that calls the server before it answers', async () => {
    const { bench, device } = await playMicro();
    const written: unknown[] = [];
    bench.server.host.offer(ServiceCode.WRITE_BUCKET, {
      kind: 'run',
      run: ({ path, payload }) => void written.push([path, payload]),
    });
    device.serves = false;
    const call = bench.server.call(PUMP, 'environment', { payload: 1 });
    const run = await device.next(Type.RUN);
    device.send(hex('06 0d 08 8d8701 10 05 18 2a 22 83 626b74'));
    assert.equal((await device.next()).bytes.toString('hex'), '0104088d8701');
    device.ok(run.id!, 'done');
    assert.equal((await call).payload, 'done');
    assert.deepEqual(written, [['bkt', 42]]);
  });

  it('with the hash of a name is answered by the server, which the device itself would refuse', async () => {
    const { bench, device } = await playMicro();
    bench.server.offer('temperature', { kind: 'output', run: () => 21 });
    device.send(hex('06 06 08 42 20 b5 d2 02'));
    const answer = await device.next();
    assert.deepEqual([answer.type, answer.id, answer.payload], [Type.OK, 0x42, 21]);
  });
});

describe('Microcontroller 10, calls of the server', () => {
  it('are answered in one write, and before anything that nobody needs', async () => {
    const { bench, device } = await playMicro();
    bench.server.host.offer(ServiceCode.CALL_ENDPOINT, {
      kind: 'inout',
      run: () => Promise.resolve({ temperature: 23.5 }),
    });
    device.resources.set('out', { fn: 3, run: () => 1 });
    bench.server.subscribe(PUMP, 'out', { intervalMs: 100, onSample: () => undefined });
    await device.next(Type.START_STREAM);
    await device.barrier();
    const [chunks, count] = [device.chunks.length, device.received.length];
    device.send(hex('06 0a 08 9faf03 10 04 22 82 6570'));
    const answer = await device.next(Type.OK);
    assert.deepEqual(answer.payload, { temperature: 23.5 });
    assert.deepEqual([device.chunks.length, device.received.length], [chunks + 1, count + 1]);
  });

  it('that are answered late are an ERROR in time: the device waits 10 s', async () => {
    const { bench, device } = await playMicro();
    bench.server.host.offer(ServiceCode.CALL_ENDPOINT, {
      kind: 'inout',
      timeoutMs: 9_000,
      run: () => new Promise(() => undefined),
    });
    device.send(hex('06 0a 08 9faf03 10 04 22 82 6570'));
    await bench.clock.advance(9_000);
    const answer = await device.next();
    assert.deepEqual([answer.type, answer.parameters], [Type.ERROR, 504]);
    assert.equal(device.ended, false);
  });

  it('that have no value are ERROR 404, or OK with null: the payload is copied in both cases', async () => {
    const { bench, device } = await playMicro();
    bench.server.host.offer(ServiceCode.READ_PROPERTY, { kind: 'output', run: () => null });
    device.send(hex('06 0a 08 7c 10 01 22 84 70726f70'));
    assert.equal((await device.next()).bytes.toString('hex'), '0104087c1a62');
  });
});
