import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { DeviceCallOptions } from '../../../src/services/device-calls';
import type { ServerOptions } from '../../../src/broker/broker-options';
import { LAMP, PUMP } from '../support/broker-fixture';
import type { RawDevice } from '../support/raw-device';
import { Type, type RawMessage } from '../support/raw-message';
import { answerTo, ask, BOB, captured, DIALECTS, gist, serviceRun, ServicesBench } from './support';

interface Scene {
  bench: ServicesBench;
  pump: RawDevice;
  lamp: RawDevice;
}

/** Two devices of one user. The lamp answers by its resources. */
async function scene(deviceCalls: DeviceCallOptions = {}, serverOptions: ServerOptions = {}): Promise<Scene> {
  const bench = await ServicesBench.start({ deviceCalls }, serverOptions);
  const pump = await bench.broker.device();
  const lamp = await bench.broker.device(LAMP);
  return { bench, pump, lamp };
}

/** Messages that a device got since its login. */
function since(device: RawDevice): RawMessage[] {
  return device.received.slice(1);
}

/** What a device is told that may not call a resource of another user. */
function refusalOf(target: string): string {
  const rule = { effect: 'allow', who: 'anna/pump', action: 'AccessDeviceResources', target };
  return `anna/pump may not AccessDeviceResources ${target}. This rule allows it: ${JSON.stringify(rule)}`;
}

for (const dialect of DIALECTS) {
  describe(`call of another device, dialect ${dialect}`, () => {
    it('gives the input to its resource, and the output to the caller', async () => {
      const { bench, pump, lamp } = await scene();
      const inputs: unknown[] = [];
      lamp.resources.set('dim', {
        fn: 4,
        run(input) {
          inputs.push(input);
          return { was: 5 };
        },
      });
      const answer = await ask(pump, dialect, 3, ['lamp', 'dim'], { to: 80 });
      assert.deepEqual(gist(answer), ['OK', undefined, { was: 5 }]);
      assert.deepEqual(inputs, [{ to: 80 }]);
      assert.equal(since(lamp).length, 1, 'nothing else is asked of the target');
      assert.equal(since(pump).length, 1);
      assert.equal(pump.chunks.length, 2, 'in one write, as that of its login');
      assert.equal(bench.broker.server.lastKnown(LAMP)?.get('dim'), undefined, 'and is not remembered');
    });

    it('goes through without input, too, and without asking what the resource is', async () => {
      const { pump, lamp } = await scene();
      lamp.resources.set('relay', { fn: 2, run: () => undefined });
      assert.deepEqual(gist(await ask(pump, dialect, 3, ['lamp', 'relay'])), ['OK', undefined, undefined]);
      assert.deepEqual(gist(await ask(pump, dialect, 3, ['lamp', 'relay'], {})), [
        'OK',
        undefined,
        undefined,
      ]);
      assert.deepEqual(
        since(lamp).map(({ type, resource, payload }) => [type, resource, payload]),
        [
          [Type.RUN, 'relay', undefined],
          [Type.RUN, 'relay', {}],
        ],
      );
    });

    it('passes on what the target answers: its code and its payload, as it is', async () => {
      const { bench, pump, lamp } = await scene();
      lamp.serves = false;
      const answers: [type: 'ok' | 'error', parameters: unknown, payload: unknown, expected: unknown[]][] = [
        ['ok', undefined, undefined, ['OK', undefined, undefined]],
        ['ok', undefined, null, ['OK', undefined, null]],
        ['ok', 202, { queued: true }, ['OK', 202, { queued: true }]],
        ['ok', 404, { error: 'Success' }, ['ERROR', 404, { error: 'Success' }]],
        ['error', 409, { error: 'busy', since: 7 }, ['ERROR', 409, { error: 'busy', since: 7 }]],
        ['error', 418, undefined, ['ERROR', 418, undefined]],
        ['error', undefined, undefined, ['ERROR', 500, undefined]],
        ['error', undefined, { message: 'no' }, ['ERROR', 500, { message: 'no' }]],
        ['error', 1, 'text', ['ERROR', 500, 'text']],
        ['error', 200, null, ['ERROR', 500, null]],
      ];
      for (const [type, parameters, payload, expected] of answers) {
        const asked = ask(pump, dialect, 3, ['lamp', 'x'], 1);
        lamp[type]((await lamp.next(Type.RUN)).id!, payload, parameters);
        assert.deepEqual(gist(await asked), expected);
      }
      assert.deepEqual(bench.takeRefusals(), [], 'the target has spoken, not the server');
    });

    it('keeps every value whole, both ways', async () => {
      const { pump, lamp } = await scene();
      lamp.resources.set('echo', { fn: 4, run: (input) => input });
      const values = [
        0,
        -5,
        2 ** 40,
        -(2n ** 60n),
        2n ** 62n,
        1.5,
        23.4,

        true,
        false,
        '',
        'ñ',
        Buffer.from([0, 255]),
      ];
      for (const value of [...values, [], [1, [null]], { a: { b: -1 } }, 'x'.repeat(20_000)]) {
        const { type, payload } = await ask(pump, dialect, 3, ['lamp', 'echo'], value);
        assert.deepEqual([type, payload], [Type.OK, value]);
      }
    });

    it('that wants no answer is made, and gets none, whatever becomes of it', async () => {
      const { bench, pump, lamp } = await scene();
      let runs = 0;
      lamp.resources.set('reboot', {
        fn: 1,
        run() {
          runs++;
        },
      });
      for (const id of [undefined, 0]) {
        for (const target of [['lamp', 'reboot'], ['lamp', 'nothing'], ['nobody', 'x'], 'rubbish']) {
          pump.send(serviceRun(dialect, 3, target, { id }));
        }
      }
      await pump.barrier();
      await bench.broker.clock.settle();
      assert.equal(runs, 2);
      assert.deepEqual(
        since(pump).map(({ type }) => type),
        [Type.KEEP_ALIVE],
      );
      const refused = ['call_device 404 nobody/x', 'call_device 400 rubbish'];
      assert.deepEqual(bench.takeRefusals(), [...refused, ...refused]);
    });

    it('is refused when the target is away, unknown, of another user, or named wrongly', async () => {
      const { bench, pump, lamp } = await scene();
      lamp.wire.cut();
      await lamp.closed;
      const answers: unknown[] = [];
      for (const target of [
        ['lamp', 'on'],
        ['nobody', 'on'],
        ['bob/lamp', 'on'],
        ['eve/none', 'on'],
        'lamp',
      ]) {
        const { parameters, payload } = await ask(pump, dialect, 3, target, true);
        answers.push([parameters, payload]);
      }
      assert.deepEqual(answers, [
        [404, { error: 'anna/lamp is not connected' }],
        [404, { error: 'anna/nobody is not connected' }],
        [403, { error: refusalOf('bob/lamp/on') }],
        [403, { error: refusalOf('eve/none/on') }],
        [400, { error: '[device, resource] expected' }],
      ]);
      assert.equal(bench.takeRefusals().length, 5);
    });
  });
}

describe('call of another device', () => {
  it('is understood as real devices send it', async () => {
    const OTHER = { user: 'anna', device: 'other_device', credential: 'x' };
    const bench = await ServicesBench.start({}, { devices: [PUMP, OTHER] });
    const pump = await bench.broker.device({ dialect: 'linux' });
    const other = await bench.broker.device(OTHER);
    for (const name of ['reboot', 'relay'])
      other.resources.set(name, { fn: 4, run: (input) => [name, input ?? null] });
    for (const [name, expected] of [
      ['call.call_device_nodata', undefined],
      ['call.call_device_nodata_confirm', ['reboot', null]],
      ['call.call_device_data', undefined],
      ['call.call_device_data_confirm', ['relay', { state: true }]],
    ] as const) {
      const { bytes, id } = captured(name);
      pump.send(bytes);
      if (expected === undefined) continue;
      const { type, payload } = await answerTo(pump, id!);
      assert.deepEqual([type, payload], [Type.OK, expected]);
    }
    assert.equal(other.all(Type.RUN).length, 4);
    assert.equal(since(pump).length, 2, 'two of them wanted an answer');
  });

  it('obeys the rules of the server, whoever owns the devices', async () => {
    const { bench, pump, lamp } = await scene();
    const action = 'AccessDeviceResources';
    bench.services.rights.rules = [
      { effect: 'allow', who: 'anna/pump', action, target: 'bob/*' },
      { effect: 'deny', who: '*', action, target: '*' },
    ];
    const bob = await bench.broker.device(BOB);
    bob.resources.set('on', { fn: 3, run: () => 'of bob' });
    assert.equal((await ask(pump, 'A', 3, ['bob/lamp', 'on'])).payload, 'of bob');
    assert.equal((await ask(pump, 'A', 3, ['lamp', 'on'])).parameters, 403);
    assert.equal((await ask(bob, 'B', 3, ['anna/pump', 'on'])).parameters, 403);
    assert.deepEqual(since(lamp), []);
    assert.equal(bench.refusals.length, 2);
  });

  it('ends with 504 when the target does not answer in time, however long that is', async () => {
    const { bench, pump, lamp } = await scene({}, { requestTimeoutMs: 45_000 });
    lamp.serves = false;
    pump.send(serviceRun('A', 3, ['lamp', 'slow'], { id: 5 }));
    const { id } = await lamp.next(Type.RUN);
    await bench.broker.clock.advance(44_999);
    await pump.barrier();
    assert.deepEqual(pump.all(Type.ERROR), []);
    await bench.broker.clock.advance(1);
    assert.deepEqual(gist(await answerTo(pump, 5)), ['ERROR', 504, { error: 'no answer within 45 s' }]);
    lamp.ok(id!, 'too late');
    await lamp.barrier();
    await pump.barrier();
    assert.equal(pump.all(Type.OK).length, 1, 'that of its login');
    assert.deepEqual(bench.takeRefusals(), ['call_device 504 lamp/slow']);
  });

  it('ends with 503 when the target goes, or is replaced by its next connection', async () => {
    const { bench, pump, lamp } = await scene();
    lamp.serves = false;
    pump.send(serviceRun('A', 3, ['lamp', 'x'], { id: 5 }));
    await lamp.next(Type.RUN);
    const again = await bench.broker.device(LAMP);
    assert.equal((await answerTo(pump, 5)).parameters, 503);
    again.serves = false;
    pump.send(serviceRun('A', 3, ['lamp', 'x'], { id: 6 }));
    await again.next(Type.RUN);
    again.wire.cut();
    assert.equal((await answerTo(pump, 6)).parameters, 503);
  });

  it('goes on when the caller goes; the answer is for nobody then', async () => {
    const { bench, pump, lamp } = await scene();
    lamp.serves = false;
    pump.send(serviceRun('A', 3, ['lamp', 'x'], { id: 9158 }));
    const { id } = await lamp.next(Type.RUN);
    pump.wire.cut();
    await pump.closed;
    const again = await bench.broker.device();
    lamp.ok(id!, 'old');
    await lamp.barrier();
    await again.barrier();
    assert.deepEqual(
      since(again).map(({ type }) => type),
      [Type.KEEP_ALIVE],
      'the next connection draws the same ids, and must not get it',
    );
  });

  it('is refused with 413 when the target could not take it', async () => {
    const { pump, lamp } = await scene();
    const { parameters } = await ask(pump, 'A', 3, ['lamp', 'text'], 'x'.repeat(33_000));
    assert.equal(parameters, 413);
    assert.deepEqual(since(lamp), []);
  });

  it('is one of many: each gets its own answer, in the order in which the target gives them', async () => {
    const { pump, lamp } = await scene();
    lamp.serves = false;
    for (let i = 1; i <= 64; i++) pump.send(serviceRun('B', 3, ['lamp', 'x'], { id: i, payload: i }));
    const calls: RawMessage[] = [];
    for (let i = 0; i < 64; i++) calls.push(await lamp.next(Type.RUN));
    for (const { id, payload } of calls.reverse()) lamp.ok(id!, payload);
    for (let i = 64; i >= 1; i--) assert.equal((await answerTo(pump, i)).payload, i);
  });

  it('leaves room for others: a device that calls a mute one again and again is refused', async () => {
    const { bench, lamp } = await scene();
    lamp.serves = false;
    let refused = 0;
    for (let connection = 0; connection < 3; connection++) {
      const pump = await bench.broker.device();
      for (let i = 1; i <= 200; i++) pump.send(serviceRun('A', 3, ['lamp', 'x'], { id: i }));
      await pump.barrier();
      refused += pump.all(Type.ERROR).length;
    }
    assert.equal(lamp.all(Type.RUN).length, 256);
    assert.equal(refused, 600 - 256);
    assert.equal(
      bench.takeRefusals().every((line) => line === 'call_device 503 lamp/x'),
      true,
    );
    lamp.resources.set('y', { fn: 3, run: () => 'still there' });
    lamp.serves = true;
    assert.equal((await bench.broker.server.call(LAMP, 'y')).payload, 'still there');
    await bench.broker.clock.advance(10_000);
    const pump = await bench.broker.device();
    assert.equal((await ask(pump, 'A', 3, ['lamp', 'y'])).payload, 'still there');
  });
});
