import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { ServiceCode } from '../../../src/codec/constants';
import type { ResourceStream } from '../../../src/session/hosting/resource';
import { PUMP } from '../support/broker-fixture';
import { hex, Type } from '../support/raw-message';
import { comeBack, listen, playLinux } from './fixtures';
import { sessionOf } from '../support/device-session';

describe('Linux 4, streams', () => {
  it('get the interval as a map, in milliseconds', async () => {
    const { bench, device } = await playLinux();
    device.resources.set('out', { fn: 3, run: () => 1 });
    listen(bench, 'out', 1500);
    const start = await device.next(Type.START_STREAM);
    assert.deepEqual(start.parameters, { interval: 1500 });
    assert.equal(start.resource, 'out');
  });

  it('sample on a grid of one second: a faster or uneven interval is neither doubted nor stalled', async () => {
    for (const [asked, kept] of [
      [300, 1000],
      [1500, 2000],
    ] as const) {
      const { bench, device } = await playLinux();
      device.resources.set('out', { fn: 3, run: () => 0 });
      const { samples, subscription } = listen(bench, 'out', asked);
      const { id } = await device.next(Type.START_STREAM);
      for (let n = 1; n <= 20; n++) {
        await bench.clock.advance(kept);
        device.sample(id!, n);
        await bench.clock.settle();
      }
      assert.equal(samples.length, 21);
      assert.equal(subscription.state.kind, 'streaming');
      assert.equal(device.all(Type.START_STREAM).length, 1);
    }
  });

  it('end silently when a handler throws: that is told as a stall, and the stream is restarted once', async () => {
    const { bench, device } = await playLinux();
    device.resources.set('out', { fn: 3, run: () => 0 });
    const { samples, states, subscription } = listen(bench, 'out', 1000);
    const start = await device.next(Type.START_STREAM);
    for (let n = 1; n <= 3; n++) {
      await bench.clock.advance(1000);
      device.sample(start.id!, n);
      await bench.clock.settle();
    }
    assert.equal(samples.length, 4);
    await bench.clock.advance(4_000);
    const restart = await device.next(Type.START_STREAM);
    assert.deepEqual([restart.id, restart.parameters], [start.id, { interval: 1000 }]);
    await bench.clock.settle();
    assert.ok(states.includes('stalled'));
    // The restart's own first sample proves nothing: then silence again, and nobody tries a third time.
    await bench.clock.advance(60_000);
    assert.equal(subscription.state.kind, 'stalled');
    assert.equal(device.all(Type.START_STREAM).length, 2);
    device.sample(start.id!, 'back');
    await device.barrier();
    assert.equal(subscription.state.kind, 'streaming');
    assert.equal(samples.at(-1), 'back');
  });

  it('keep two per resource at most: one periodic, and one of events that is started last', async () => {
    const { bench, device } = await playLinux();
    device.resources.set('out', { fn: 3, run: () => 0 });
    for (const interval of [0, 2000, 0, 1000, 4000]) listen(bench, 'out', interval);
    await bench.until(() => device.all(Type.START_STREAM).length >= 2);
    await device.barrier();
    assert.equal(device.streams.size, 2);
    const starts = device.all(Type.START_STREAM);
    assert.equal(starts.at(-1)?.parameters, undefined, 'the event stream comes last');
    const intervals = [...device.streams.values()].map(({ interval }) => interval);
    assert.deepEqual(new Set(intervals), new Set([1000, undefined]));
  });

  it('are not opened unasked on an input, as that would run it with defaults', async () => {
    const play = await playLinux();
    let relay: unknown = 'as it was';
    play.device.resources.set('relay', { fn: 2, run: (input) => void (relay = input) });
    await play.bench.server.call(PUMP, 'relay', { payload: true });
    await play.bench.server.device(PUMP)!.describe();
    const device = await comeBack(play);
    listen(play.bench, 'other', 1000);
    await device.barrier();
    assert.equal(relay, true);
    assert.equal(play.bench.server.lastKnown(PUMP)?.get('relay')?.input, true);
  });

  it('that the application pushes under an id that nobody opened get one STOP_STREAM', async () => {
    const { device } = await playLinux();
    for (let i = 0; i < 5; i++) device.send(hex('0a 0e 1a c2 81 66 40 0000a03f 81 76 21 08 32'));
    await device.barrier();
    assert.deepEqual(
      device.all(Type.STOP_STREAM).map(({ bytes }) => bytes.toString('hex')),
      ['09020832'],
    );
  });

  it('carry error codes as parameters of STREAM_DATA', async () => {
    const { bench, device } = await playLinux();
    device.serves = false;
    const heard: unknown[] = [];
    const listener = { onData: (...[payload, code]: unknown[]) => heard.push([payload, code]) };
    const opening = bench.server.device(PUMP)!.openStream('err', listener);
    const { id } = await device.next(Type.START_STREAM);
    device.ok(id!);
    await opening;
    device.sample(id!, { error: 'teapot' }, 418);
    await device.barrier();
    assert.deepEqual(heard, [[{ error: 'teapot' }, 418]]);
  });

  it('that the device ends are opened again, after a pause', async () => {
    const { bench, device } = await playLinux();
    device.resources.set('out', { fn: 3, run: () => 0 });
    const { subscription } = listen(bench, 'out', 1000);
    const start = await device.next(Type.START_STREAM);
    await bench.clock.settle();
    device.send(device.build(Type.STOP_STREAM, { id: start.id! }));
    await device.barrier();
    assert.equal(subscription.state.kind, 'failed');
    assert.equal(device.all(Type.OK).length, 1, 'its STOP_STREAM wants no answer');
    await bench.clock.advance(5_000);
    const again = await device.next(Type.START_STREAM);
    assert.notEqual(again.id, start.id);
  });
});

describe('Linux 5, requests', () => {
  it('without a stream id do their work and get no answer', async () => {
    const { bench, device } = await playLinux();
    const seen: unknown[] = [];
    for (const code of [2, 3, 4, 5, 6, 7]) {
      bench.server.host.offer(code, {
        kind: 'inout',
        run: ({ parameters, payload }) => {
          seen.push([code, parameters, payload]);
          return 'ignored';
        },
      });
    }
    for (const digits of [
      '06171ac188696e74657276616c1f3c1286636f6e6669672002',
      '060f128b616c6572745f656d61696c2004',
      '061812e28c6f746865725f646576696365867265626f6f742003',
      '06201ac18573746174656112e28c6f746865725f6465766963658572656c61792003',
    ]) {
      device.send(hex(digits));
    }
    await device.barrier();
    assert.deepEqual(seen, [
      [2, 'config', { interval: 60 }],
      [4, 'alert_email', undefined],
      [3, ['other_device', 'reboot'], undefined],
      [3, ['other_device', 'relay'], { state: true }],
    ]);
    assert.equal(device.received.length, 2, 'the OK and the echo');
  });

  it('with one are answered under it, each in one write', async () => {
    const { bench, device } = await playLinux();
    bench.server.host.offer(ServiceCode.READ_PROPERTY, { kind: 'output', run: () => ({ interval: 60 }) });
    bench.server.host.offer(ServiceCode.LOCK, { kind: 'run', run: () => undefined });
    for (const [digits, id] of [
      ['060d08c6471286636f6e6669672001', 9158],
      [
        '062d08c2c5011ac3846c6f636b876f776e65722d6185736c6f7473038774696d656f75741e12866d75746578312006',
        25282,
      ],
    ] as const) {
      const chunks = device.chunks.length;
      device.send(hex(digits));
      const answer = await device.next();
      assert.deepEqual([answer.type, answer.id], [Type.OK, id]);
      assert.equal(device.chunks.length, chunks + 1);
    }
  });

  it('that nobody serves are answered all the same: the device would wait for ever', async () => {
    const { device } = await playLinux();
    for (const digits of [
      '060d08c6471286636f6e6669672001',
      '061b08fb3d12e28c6f746865725f646576696365867265626f6f742003',
      '083d12c2856576656e74966465766963655f70726f70657274795f7570646174658766696c74657273c18870726f7065727479856f74686572200808caa802',
    ]) {
      device.send(hex(digits));
      const answer = await device.next();
      assert.deepEqual([answer.type, answer.parameters], [Type.ERROR, 404]);
    }
  });

  it('may be made while the device serves a RUN', async () => {
    const { bench, device } = await playLinux();
    bench.server.host.offer(ServiceCode.READ_PROPERTY, { kind: 'output', run: () => 'blue' });
    device.serves = false;
    const call = bench.server.call(PUMP, 'out', { payload: 1 });
    const run = await device.next(Type.RUN);
    device.send(hex('060d08c6471286636f6e6669672001'));
    const answer = await device.next(Type.OK);
    device.ok(run.id!, answer.payload);
    assert.equal((await call).payload, 'blue');
  });
});

describe('Linux 5, event subscriptions', () => {
  const CAPTURED = [
    [
      '084412c3856576656e74946465766963655f746f7069635f7075626c6973688573636f70658973756273637269626585746f7069638a636f6d6d616e64732f23200808f39001',
      'commands/#',
    ],
    [
      '084712c4856576656e74946465766963655f746f7069635f7075626c69736883716f73018573636f70658973756273637269626585746f70696388616c657274732f2b200808d1b803',
      'alerts/+',
    ],
  ] as const;

  it('are answered at once and deliver under the id of the device, which also publishes under it', async () => {
    const { bench, device } = await playLinux();
    const streams: ResourceStream[] = [];
    const published: unknown[] = [];
    bench.server.host.offer(ServiceCode.SUBSCRIBE_EVENT, {
      kind: 'inout',
      run: () => undefined,
      open(stream) {
        streams.push(stream);
        stream.onData = (payload) => published.push([stream.id, payload]);
      },
    });
    for (const [digits, topic] of CAPTURED) {
      const chunks = device.chunks.length;
      device.send(hex(digits));
      assert.equal((await device.next()).type, Type.OK);
      assert.equal(device.chunks.length, chunks + 1);
      assert.equal((streams.at(-1)?.parameters as Record<string, unknown>).topic, topic);
    }
    streams[0]?.write({ on: true });
    const delivered = await device.next(Type.STREAM_DATA);
    assert.deepEqual([delivered.id, delivered.payload], [streams[0]?.id, { on: true }]);
    device.sample(streams[1]!.id, 5);
    await device.barrier();
    assert.deepEqual(published, [[streams[1]?.id, 5]]);
  });

  it('with parameters null, as they come after a drop, are answered with ERROR', async () => {
    const { bench, device } = await playLinux();
    const request = device.build(Type.START_STREAM, { id: 18547, parameters: null, resource: 8 });
    device.send(request);
    const unserved = await device.next();
    assert.deepEqual([unserved.type, unserved.id, unserved.parameters], [Type.ERROR, 18547, 404]);
    bench.server.host.offer(ServiceCode.SUBSCRIBE_EVENT, {
      kind: 'output',
      run: () => undefined,
      open({ parameters }) {
        if (parameters === null || parameters === undefined) throw new Error('no event is named');
      },
    });
    device.send(request);
    const served = await device.next();
    assert.deepEqual(
      [served.type, served.id, served.payload],
      [Type.ERROR, 18547, { error: 'no event is named' }],
    );
    assert.equal(sessionOf(bench.server.device(PUMP)).streamCount, 0);
  });

  it('are gone with the connection, and come again under new ids', async () => {
    const play = await playLinux();
    let open = 0;
    play.bench.server.host.offer(ServiceCode.SUBSCRIBE_EVENT, {
      kind: 'output',
      run: () => undefined,
      open(stream) {
        open++;
        stream.onClose = () => open--;
      },
    });
    const [[digits]] = CAPTURED;
    play.device.send(hex(digits));
    await play.device.next();
    assert.equal(open, 1);
    const device = await comeBack(play);
    assert.equal(open, 0);
    device.send(device.build(Type.START_STREAM, { id: 7, parameters: { event: 'x' }, resource: 8 }));
    assert.equal((await device.next()).type, Type.OK);
    assert.equal(open, 1);
  });

  it('never share an id with a stream of the server', async () => {
    const { bench, device } = await playLinux();
    bench.server.host.offer(ServiceCode.SUBSCRIBE_EVENT, {
      kind: 'output',
      run: () => undefined,
      open: () => null,
    });
    const session = sessionOf(bench.server.device(PUMP));
    while (session.ids.next(() => false) !== 9157);
    device.send(device.build(Type.START_STREAM, { id: 9158, parameters: { event: 'x' }, resource: 8 }));
    assert.equal((await device.next()).type, Type.OK);
    device.resources.set('out', { fn: 3, run: () => 1 });
    listen(bench, 'out', 1000);
    assert.equal((await device.next(Type.START_STREAM)).id, 9159);
  });
});
