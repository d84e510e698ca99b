import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { RemoteError } from '../../../src/errors';
import { PUMP } from '../support/broker-fixture';
import { hex, message, Type, varintField } from '../support/raw-message';
import { comeBack, listen, playLinux, type Play } from './fixtures';
import { sessionOf } from '../support/device-session';

/** Calls a resource of the device, whose answer has these bytes in front of the stream id. */
async function call({ bench, device }: Play, type: number, digits: string): Promise<unknown> {
  device.serves = false;
  const reply = bench.server.call(PUMP, 'some/resource', { payload: 1 });
  const { id } = await device.next(Type.RUN);
  device.send(message(type, hex(digits), varintField(1, id!)));
  return reply;
}

describe('Linux 3, answers to RUN', () => {
  it('of an input have no payload', async () => {
    const reply = await call(await playLinux(), Type.OK, '');
    assert.deepEqual(reply, { payload: undefined, statusCode: 200, parameters: undefined });
  });

  it('by set_error(code, text) are an ERROR with both', async () => {
    const failed = call(await playLinux(), Type.ERROR, '10 a2 03 1a c1 85 6572726f72 86 746561706f74');
    await assert.rejects(failed, (error: unknown) => {
      assert.ok(error instanceof RemoteError);
      assert.deepEqual(
        [error.statusCode, error.message, error.payload],
        [418, 'teapot', { error: 'teapot' }],
      );
      return true;
    });
  });

  it('by set_error(text) are an ERROR without a code', async () => {
    const failed = call(await playLinux(), Type.ERROR, '1a c1 85 6572726f72 85 706c61696e');
    await assert.rejects(failed, { code: 'IOTMP_ERR_REMOTE', statusCode: 500, message: 'plain' });
  });

  it('by set_return_code are OK with a code; 400 or more is a failure all the same', async () => {
    const play = await playLinux();
    assert.deepEqual(await call(play, Type.OK, '10 c9 01 1a 62'), {
      payload: null,
      statusCode: 201,
      parameters: 201,
    });
    for (const [digits, statusCode] of [
      ['10 90 03', 400],
      ['10 94 03 1a c1 85 6572726f72 87 53756363657373', 404],
      ['10 f4 03', 500],
    ] as const) {
      await assert.rejects(call(play, Type.OK, digits), { code: 'IOTMP_ERR_REMOTE', statusCode });
    }
  });

  it('with a negative code arrive with 0, which is no failure', async () => {
    const reply = await call(await playLinux(), Type.OK, '10 00 1a c1 81 78 01');
    assert.deepEqual((reply as { payload: unknown }).payload, { x: 1 });
  });

  it('may carry a map in their parameters, as a transfer does', async () => {
    const reply = await call(await playLinux(), Type.OK, '12 c1 8a 6368756e6b5f73697a65 1f 80 80 04 1a 05');
    assert.deepEqual(reply, { payload: 5, statusCode: 200, parameters: { chunk_size: 65_536 } });
  });

  it('are a bare ERROR for an unknown resource', async () => {
    await assert.rejects(call(await playLinux(), Type.ERROR, ''), {
      code: 'IOTMP_ERR_REMOTE',
      statusCode: 500,
    });
  });

  it('do not come at all when a handler throws: the call times out, the connection lives', async () => {
    const { bench, device } = await playLinux({ requestTimeoutMs: 5_000 });
    device.serves = false;
    const lost = assert.rejects(bench.server.call(PUMP, 'in/relay', { payload: 1 }), {
      code: 'IOTMP_ERR_TIMEOUT',
      statusCode: 504,
    });
    await device.next(Type.RUN);
    await bench.clock.advance(5_000);
    await lost;
    const next = bench.server.call(PUMP, 'in/relay', { payload: true });
    device.ok((await device.next(Type.RUN)).id!);
    await next;
  });

  it('overtake each other, and are held back until the last is done', async () => {
    const { bench, device } = await playLinux();
    device.serves = false;
    const calls = [0, 1, 2, 3, 4, 5].map((payload) => bench.server.call(PUMP, 'work', { payload }));
    const ids: number[] = [];
    for (let i = 0; i < 6; i++) ids.push((await device.next(Type.RUN)).id!);
    await bench.clock.advance(900);
    const order = [4, 0, 5, 2, 1, 3];
    device.send(Buffer.concat(order.map((n) => device.build(Type.OK, { id: ids[n]!, payload: `r${n}` }))));
    const replies = await Promise.all(calls);
    assert.deepEqual(
      replies.map(({ payload }) => payload),
      ['r0', 'r1', 'r2', 'r3', 'r4', 'r5'],
    );
  });

  it('come in hundreds, as 500 requests are sent in a row', async () => {
    const { bench, device } = await playLinux();
    device.resources.set('echo', { fn: 4, run: (input) => input });
    const replies = await Promise.all(
      Array.from({ length: 500 }, (_, payload) => bench.server.call(PUMP, 'echo', { payload })),
    );
    replies.forEach(({ payload }, index) => assert.equal(payload, index));
  });
});

describe('Linux 3, DESCRIBE', () => {
  it('of the whole device tells patterns, and null for a resource without a handler', async () => {
    const { bench, device } = await playLinux();
    device.serves = false;
    const described = bench.server.device(PUMP)!.describe();
    const { id } = await device.next(Type.DESCRIBE);
    device.ok(id!, { 'gpio/:pin': { fn: 2 }, '$fs/get/*path': { fn: 4 }, bare: null });
    const description = await described;
    assert.equal(description.find('gpio/4')?.fn, 2);
    assert.equal(description.find('gpio/')?.fn, 2, 'an empty capture, too');
    assert.equal(description.find('$fs/get/')?.fn, 4);
    assert.equal(description.find('$fs/get/a/b.txt')?.fn, 4);
    assert.equal(description.find('$fs/get'), undefined);
    assert.equal(description.find('bare')?.fn, undefined);
  });

  it('of one resource runs its handler: the server never sends it unasked', async () => {
    const play = await playLinux();
    let relay = true;
    play.device.resources.set('in/relay', { fn: 2, run: (input) => void (relay = input === true) });
    play.device.resources.set('io/sum', { fn: 4, run: () => assert.fail('was run') });
    play.device.resources.set('run/act', { fn: 1, run: () => assert.fail('was run') });
    await play.bench.server.device(PUMP)!.describe();
    await assert.rejects(play.bench.server.call(PUMP, 'in/relay', {}), { code: 'IOTMP_ERR_NO_INPUT' });
    const device = await comeBack(play);
    await play.bench.server.device(PUMP)!.describe();
    await play.bench.clock.advance(80_000);
    assert.equal(relay, true);
    assert.deepEqual([...play.device.acts, ...device.acts], []);
  });
});

describe('Linux 3, reads that nobody asked for', () => {
  it('do not happen to inputs, in/outs and runs: their streams are held when the device comes back', async () => {
    const play = await playLinux();
    const runs: string[] = [];
    for (const [name, fn] of [
      ['relay', 2],
      ['sum', 4],
      ['act', 1],
      ['level', 3],
    ] as const) {
      play.device.resources.set(name, { fn, run: () => void runs.push(name) });
    }
    // A person asks: each stream is opened once, of whatever kind it is.
    const ears = ['relay', 'sum', 'act', 'level'].map((name) => listen(play.bench, name, 1000));
    await play.bench.until(() => play.device.all(Type.START_STREAM).length === 4);
    await play.bench.clock.settle();
    runs.length = 0;

    const device = await comeBack(play);
    await play.bench.until(() => device.all(Type.START_STREAM).length === 1);
    await play.bench.clock.advance(60_000);
    assert.deepEqual(device.acts.map(({ type, resource }) => [type, resource]).slice(0, 1), [
      [Type.START_STREAM, 'level'],
    ]);
    assert.ok(device.acts.every(({ resource }) => resource === 'level'));
    assert.deepEqual(new Set(runs), new Set(['level']));
    assert.deepEqual(
      ears.map(({ subscription }) => subscription.state.kind),
      ['held', 'held', 'held', 'stalled'],
    );
    assert.equal(device.all(Type.DESCRIBE).length, 1);
    assert.equal(device.all(Type.DESCRIBE)[0]?.resource, undefined);
  });
});

describe('Linux 6 to 9, resources of the client', () => {
  it('send bytes both ways in a terminal, in frames as they come', async () => {
    const { bench, device } = await playLinux();
    device.serves = false;
    const shown: unknown[] = [];
    const opening = bench.server
      .device(PUMP)!
      .openStream(
        '$terminal/1',
        { onData: (data) => shown.push(data) },
        { parameters: { cols: 80, rows: 24 } },
      );
    const start = await device.next(Type.START_STREAM);
    assert.deepEqual([start.resource, start.parameters], ['$terminal/1', { cols: 80, rows: 24 }]);
    device.ok(start.id!);
    const stream = await opening;
    stream.write(Buffer.from('ls\n'));
    const typed = await device.next(Type.STREAM_DATA);
    assert.deepEqual(typed.payload, Buffer.from('ls\n'));
    device.sample(start.id!, Buffer.from([0xff, 0xfe, 0x0a]));
    await device.barrier();
    assert.deepEqual(shown, [Buffer.from([0xff, 0xfe, 0x0a])]);
  });

  it('say {message} when a session cannot start', async () => {
    const { bench, device } = await playLinux();
    device.serves = false;
    const opening = bench.server.device(PUMP)!.openStream('$proxy/1', { onData: () => undefined });
    device.error((await device.next(Type.START_STREAM)).id!, { message: 'Connection refused' });
    await assert.rejects(opening, { code: 'IOTMP_ERR_REMOTE', message: 'Connection refused' });
    assert.equal(sessionOf(bench.server.device(PUMP)).streamCount, 0);
  });

  it('end with a STOP_STREAM of the device, which wants no answer', async () => {
    const { bench, device } = await playLinux();
    device.serves = false;
    const ends: unknown[] = [];
    const listener = { onData: () => undefined, onClose: (reason?: Error) => ends.push(reason?.message) };
    const opening = bench.server.device(PUMP)!.openStream('$terminal/1', listener);
    const { id } = await device.next(Type.START_STREAM);
    device.ok(id!);
    const stream = await opening;
    device.send(device.build(Type.STOP_STREAM, { id: id! }));
    await device.barrier();
    assert.deepEqual(ends, ['the peer ended the stream']);
    assert.equal(stream.closed, true);
    const count = device.received.length;
    await stream.stop();
    await device.barrier();
    assert.equal(device.received.length, count + 1, 'only the echo');
  });

  it('send chunks of 65536 bytes, and are told of them by {ack, bytes}', async () => {
    const { bench, device } = await playLinux();
    device.serves = false;
    let size = 0;
    const opening = bench.server
      .device(PUMP)!
      .openStream('$fs/download/1', { onData: (data) => (size += (data as Buffer).length) });
    const { id } = await device.next(Type.START_STREAM);
    device.ok(id!, { chunk_size: 65_536 }, { chunk_size: 65_536 });
    const stream = await opening;
    assert.deepEqual(stream.initial, { chunk_size: 65_536 });
    for (let i = 0; i < 32; i++) device.sample(id!, Buffer.alloc(65_536, i));
    await device.barrier();
    assert.equal(size, 32 * 65_536);
    stream.write({ ack: 32, bytes: size });
    assert.deepEqual((await device.next(Type.STREAM_DATA)).payload, { ack: 32, bytes: size });
  });

  it('still send one sample after STOP_STREAM was answered: it is told to stop, and that is all', async () => {
    const { bench, device } = await playLinux();
    device.serves = false;
    const heard: unknown[] = [];
    const opening = bench.server.device(PUMP)!.openStream('$cmd/1', { onData: (data) => heard.push(data) });
    const { id } = await device.next(Type.START_STREAM);
    device.ok(id!);
    const stream = await opening;
    const stopping = stream.stop();
    await device.next(Type.STOP_STREAM);
    device.ok(id!);
    await stopping;
    device.sample(id!, { exit: 9 });
    await device.barrier();
    device.error(id!);
    await device.barrier();
    assert.deepEqual(heard, []);
    assert.ok(device.all(Type.STOP_STREAM).length <= 2);
  });

  it('may refuse STOP_STREAM of a session that has ended: it is over all the same', async () => {
    const { bench, device } = await playLinux();
    device.serves = false;
    const opening = bench.server.device(PUMP)!.openStream('$cmd/1', { onData: () => undefined });
    const { id } = await device.next(Type.START_STREAM);
    device.ok(id!);
    const stopping = (await opening).stop();
    device.error((await device.next(Type.STOP_STREAM)).id!);
    await stopping;
    assert.equal(sessionOf(bench.server.device(PUMP)).streamCount, 0);
  });
});
