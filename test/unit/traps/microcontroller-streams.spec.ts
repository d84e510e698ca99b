import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { PUMP } from '../support/broker-fixture';
import type { RawDevice } from '../support/raw-device';
import { hex, Type } from '../support/raw-message';
import { comeBack, listen, playMicro } from './fixtures';

/** The device samples all its periodic streams for a while, by the clock of the test. */
async function run(
  device: RawDevice,
  clock: { advance(ms: number): Promise<void> },
  ms: number,
): Promise<void> {
  const step = 50;
  const due = new Map<number, number>();
  for (let now = step; now <= ms; now += step) {
    await clock.advance(step);
    for (const [id, { interval }] of device.streams) {
      if (interval === undefined || !(interval > 0)) continue;
      const next = due.get(id) ?? interval;
      if (now < next) continue;
      due.set(id, next + interval);
      device.sample(id, now);
    }
  }
  await clock.advance(0);
}

describe('Microcontroller 9, form of the interval', () => {
  it('is the map first, and stays it where samples follow', async () => {
    for (const intervals of ['map', 'both'] as const) {
      const { bench, device } = await playMicro({ intervals });
      device.resources.set('t', { fn: 3, run: () => 0 });
      const { samples } = listen(bench, 't', 500);
      await run(device, bench.clock, 10_000);
      assert.deepEqual(
        device.all(Type.START_STREAM).map(({ parameters }) => parameters),
        [{ interval: 500 }],
      );
      assert.equal(samples.length, 21);
    }
  });

  it('is the bare number once more, under the same id, where firmware takes only that', async () => {
    const { bench, device } = await playMicro({ intervals: 'number' });
    device.resources.set('t', { fn: 3, run: () => 0 });
    const { samples, subscription } = listen(bench, 't', 1000);
    await run(device, bench.clock, 20_000);
    const starts = device.all(Type.START_STREAM);
    assert.deepEqual(
      starts.map(({ parameters }) => parameters),
      [{ interval: 1000 }, 1000],
    );
    assert.equal(new Set(starts.map(({ id }) => id)).size, 1);
    assert.ok(samples.length > 10, `${samples.length} samples`);
    assert.equal(subscription.state.kind, 'streaming');
  });

  it('is the bare number at once on the next connection of such a device', async () => {
    const { bench, device } = await playMicro({ intervals: 'number' });
    device.resources.set('t', { fn: 3, run: () => 0 });
    const { samples, subscription } = listen(bench, 't', 1000);
    await run(device, bench.clock, 10_000);
    device.wire.cut();
    await bench.clock.settle();
    const before = samples.length;
    const back = await bench.device({ intervals: 'number' });
    back.resources.set('t', { fn: 3, run: () => 0 });
    subscription.ask();
    await run(back, bench.clock, 10_000);
    assert.deepEqual(
      back.all(Type.START_STREAM).map(({ parameters }) => parameters),
      [1000],
    );
    assert.ok(samples.length - before >= 10, `${samples.length - before} samples`);
  });

  it('that neither is understood is told as a stall', async () => {
    const { bench, device } = await playMicro();
    device.resources.set('t', { fn: 3, run: () => 0 });
    const { states } = listen(bench, 't', 1000);
    await bench.clock.advance(60_000);
    assert.equal(states.at(-1), 'stalled');
    const count = device.all(Type.START_STREAM).length;
    assert.ok(count >= 2 && count <= 4, `${count} starts`);
    await bench.clock.advance(600);
  });
});

describe('Microcontroller 9, streams', () => {
  it('send one sample at once after OK', async () => {
    const { bench, device } = await playMicro();
    device.resources.set('t', { fn: 3, run: () => 23.5 });
    const { samples } = listen(bench, 't', 60_000);
    await device.next(Type.START_STREAM);
    await device.barrier();
    assert.deepEqual(samples, [23.5]);
  });

  it('may send that sample glued behind the OK, or even before it', async () => {
    const { bench, device } = await playMicro();
    device.serves = false;
    const { samples } = listen(bench, 't', 60_000);
    const { id } = await device.next(Type.START_STREAM);
    device.send(
      Buffer.concat([
        device.build(Type.STREAM_DATA, { id: id!, payload: 'early' }),
        device.build(Type.OK, { id: id! }),
        device.build(Type.STREAM_DATA, { id: id!, payload: 'late' }),
      ]),
    );
    await device.barrier();
    assert.deepEqual(samples, ['early', 'late']);
    assert.deepEqual(device.all(Type.STOP_STREAM), []);
  });

  it('of a thousand samples a second are decimated to what a subscriber asked for', async () => {
    const { bench, device } = await playMicro();
    device.resources.set('t', { fn: 3, run: () => 0 });
    const slow = listen(bench, 't', 1000);
    const fast = listen(bench, 't', 10);
    await bench.until(() => device.all(Type.START_STREAM).length > 0);
    await device.barrier();
    const [stream] = [...device.streams.keys()];
    for (let ms = 0; ms < 5_000; ms += 10) {
      await bench.clock.advance(10);
      device.sample(stream!, ms);
    }
    await device.barrier();
    assert.equal(device.streams.size, 1);
    assert.ok(slow.samples.length >= 5 && slow.samples.length <= 7, String(slow.samples.length));
    assert.ok(fast.samples.length > 490, String(fast.samples.length));
  });

  it('send events only on the stream that was started last: that is the one of events', async () => {
    const { bench, device } = await playMicro();
    device.resources.set('t', { fn: 3, run: () => 0 });
    const events = listen(bench, 't', 0);
    await device.next(Type.START_STREAM);
    await device.barrier();
    listen(bench, 't', 1000);
    await bench.until(() => device.all(Type.START_STREAM).length >= 3);
    await device.barrier();
    const starts = device.all(Type.START_STREAM);
    assert.deepEqual(
      starts.map(({ parameters }) => parameters),
      [undefined, { interval: 1000 }, undefined],
    );
    assert.equal(starts[0]?.id, starts[2]?.id);
    assert.equal(device.streams.size, 2);
    device.sample(starts[2]!.id!, 'event');
    await device.barrier();
    assert.equal(events.samples.at(-1), 'event');
  });

  it('are forgotten on disconnect: outputs are started again', async () => {
    const play = await playMicro();
    play.device.resources.set('t', { fn: 3, run: () => 0 });
    const { samples, states } = listen(play.bench, 't', 1000);
    const old = await play.device.next(Type.START_STREAM);
    const device = await comeBack(play);
    const start = await device.next(Type.START_STREAM);
    await device.barrier();
    assert.deepEqual(start.parameters, { interval: 1000 });
    assert.notEqual(start.id, old.id);
    assert.deepEqual(samples, [0, 0]);
    assert.deepEqual(states.slice(-3), ['offline', 'starting', 'streaming']);
  });

  it('of an input are not opened again by themselves: START_STREAM switches the relay off', async () => {
    const play = await playMicro();
    let relay = false;
    play.device.resources.set('relay', {
      fn: 2,
      run: (input) => {
        relay = input === true;
        return undefined;
      },
    });
    const { subscription } = listen(play.bench, 'relay', 1000);
    await play.device.next(Type.START_STREAM);
    const device = await comeBack(play);
    await play.bench.server.call(PUMP, 'relay', { payload: true });
    await play.bench.clock.advance(60_000);
    await device.barrier();
    assert.equal(relay, true);
    assert.deepEqual(
      device.acts.map(({ type }) => type),
      [Type.RUN],
    );
    assert.equal(subscription.state.kind, 'held');
    // A person asks again.
    subscription.ask();
    await device.next(Type.START_STREAM);
    await play.bench.clock.settle();
    assert.equal(subscription.state.kind, 'streaming');
    assert.equal(relay, false);
  });

  it('write into an in/out by STREAM_DATA, which has no answer but the echo', async () => {
    const { bench, device } = await playMicro();
    let level = 0;
    device.resources.set('dimmer', {
      fn: 4,
      run: (input) => {
        if (typeof input === 'number') level = input;
        return level;
      },
    });
    const { samples, subscription } = listen(bench, 'dimmer', 0);
    await device.next(Type.START_STREAM);
    await bench.clock.settle();
    subscription.write(7);
    await device.barrier();
    assert.deepEqual(samples, [0, 7]);
    assert.equal(device.all(Type.STREAM_DATA)[0]?.parameters, undefined);
  });

  it('of an input that writes nothing are null, of an output in error {error}', async () => {
    const { bench, device } = await playMicro();
    device.resources.set('t', { fn: 3, run: () => null });
    const { samples } = listen(bench, 't', 1000);
    const { id } = await device.next(Type.START_STREAM);
    device.sample(id!, { error: 'sensor lost' }, 500);
    await device.barrier();
    assert.deepEqual(samples, [null, { error: 'sensor lost' }]);
  });

  it('are stopped when the last subscriber goes, and only then', async () => {
    const { bench, device } = await playMicro();
    device.resources.set('t', { fn: 3, run: () => 0 });
    const [one, other] = [listen(bench, 't', 1000), listen(bench, 't', 1000)];
    await device.next(Type.START_STREAM);
    await device.barrier();
    one.subscription.close();
    await device.barrier();
    assert.equal(device.all(Type.STOP_STREAM).length, 0);
    other.subscription.close();
    await device.next(Type.STOP_STREAM);
    await device.barrier();
    assert.equal(device.streams.size, 0);
  });
});

describe('Microcontroller 12, compact samples', () => {
  it('are handed on as the arrays that they are: nobody asked for the compact form', async () => {
    const { bench, device } = await playMicro();
    device.resources.set('t', { fn: 3, run: () => ({ temperature: 23.5, humidity: 60 }) });
    const { samples } = listen(bench, 't', 1000);
    const { id } = await device.next(Type.START_STREAM);
    device.sample(id!, [24.5, 61]);
    await device.barrier();
    assert.deepEqual(samples, [{ temperature: 23.5, humidity: 60 }, [24.5, 61]]);
  });
});

describe('Microcontroller 13, ThinRemote agent', () => {
  it('subscribes to its configuration at once, waits for the OK and takes its payload', async () => {
    const { bench, device } = await playMicro({ dialect: 'linux' });
    bench.server.host.offer(8, {
      kind: 'output',
      run: () => undefined,
      open: ({ parameters }) => {
        if (parameters === null) throw new Error('no event is named');
        return { channel: 'stable' };
      },
    });
    device.send(
      hex(
        '08 47 12 c3 87 63757272656e74 61 85 6576656e74 96 6465766963655f70726f70657274795f757064617465' +
          '87 66696c74657273 c1 88 70726f7065727479 86 636f6e666967 20 08 08 ff b9 01',
      ),
    );
    const ok = await device.next();
    assert.deepEqual([ok.type, ok.id, ok.payload], [Type.OK, 23_807, { channel: 'stable' }]);
    device.send(device.build(Type.START_STREAM, { id: 39_017, parameters: null, resource: 8 }));
    assert.equal((await device.next()).type, Type.ERROR);
  });
});
