import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import fc from 'fast-check';
import { IotmpError } from '../../../src/errors';
import { RelayedCalls, type RelayedCall } from '../../../src/services/relayed-calls';
import { LAMP, PUMP } from '../support/broker-fixture';
import { Type } from '../support/raw-message';
import { ask, connectClient, gist, serviceRun, ServicesBench } from './support';

const DOOR = { user: 'anna', device: 'door', credential: 'oak' } as const;

describe('calls under way', () => {
  it('count one hop more than the call that their caller has begun to serve last', () => {
    const calls = new RelayedCalls(8);
    const first = calls.begin('a', 'b');
    const second = calls.begin('b', 'c');
    const third = calls.begin('c', 'a');
    assert.deepEqual([first.hops, second.hops, third.hops], [1, 2, 3]);
    assert.equal(calls.begin('a', 'd').hops, 4);
    assert.equal(calls.begin('d', 'b').hops, 5);
    assert.equal(calls.begin('e', 'a').hops, 1, 'one who serves nobody');
    assert.equal(calls.begin('a', 'b').hops, 2, 'on account of the latest');
  });

  it('go back to fewer hops when those that led further are over', () => {
    const calls = new RelayedCalls(4);
    calls.begin('a', 'b');
    for (let times = 0; times < 20; times++) {
      const out = calls.begin('b', 'c');
      const back = calls.begin('c', 'b');
      assert.deepEqual([out.hops, back.hops], [2, 3]);
      calls.end(back);
      calls.end(out);
    }
  });

  it('leave nothing behind, in whatever order they end', () => {
    const names = fc.constantFrom('a', 'b', 'c', 'd');
    const step = fc.record({ caller: names, target: names, ends: fc.nat() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const calls = new RelayedCalls(4);
        const open: RelayedCall[] = [];
        for (const { caller, target, ends } of steps) {
          try {
            const call = calls.begin(caller, target);
            assert.ok(call.hops >= 1 && call.hops <= 4);
            open.push(call);
          } catch (error) {
            assert.ok(error instanceof IotmpError && error.code === 'IOTMP_ERR_LOOP');
          }
          if (ends % 3 === 0) open.splice(ends % (open.length + 1), 1).forEach((call) => calls.end(call));
        }
        for (const call of open) calls.end(call);
        assert.equal(calls.size, 0);
        assert.equal(calls.begin('a', 'b').hops, 1);
      }),
    );
  });

  it('have a limit that is a whole number', () => {
    for (const limit of [0, -1, 1.5, NaN, Infinity]) {
      assert.throws(() => new RelayedCalls(limit), { code: 'IOTMP_ERR_CONFIG' });
    }
  });
});

describe('call in a circle', () => {
  it('of a device to itself is refused at once', async () => {
    const bench = await ServicesBench.start();
    const pump = await bench.broker.device();
    for (const target of [['pump', 'x'], ['anna/pump', 'x'], 'pump/x']) {
      assert.deepEqual(gist(await ask(pump, 'A', 3, target)), [
        'ERROR',
        508,
        { error: 'a device cannot call itself' },
      ]);
    }
    assert.deepEqual(pump.all(Type.RUN), []);
  });

  it('ends after eight hops, and everyone on the way gets an answer', async () => {
    const bench = await ServicesBench.start({}, { devices: [PUMP, LAMP, DOOR] });
    const clients = [];
    for (const who of [PUMP, LAMP, DOOR]) clients.push(await connectClient(bench.broker, who));
    let runs = 0;
    const failures: unknown[] = [];
    for (const [index, client] of clients.entries()) {
      const next = clients[(index + 1) % clients.length]!;
      client.host('pass', {
        kind: 'inout',
        async run({ payload }) {
          runs++;
          try {
            return await client.callDevice(next.device, 'pass', payload);
          } catch (error) {
            failures.push(error);
            return { last: client.device };
          }
        },
      });
    }
    const answer = await clients[0]!.callDevice('lamp', 'pass', 1);
    assert.equal(runs, 8);
    // pump calls lamp (1), door (2), pump (3) and so on: the one that is called with the eighth hop is the door.
    assert.deepEqual(answer, { last: 'door' });
    const [failure] = failures;
    assert.ok(failures.length === 1 && failure instanceof IotmpError);
    assert.deepEqual([failure.statusCode, failure.message], [508, 'devices call each other in a circle']);
    assert.deepEqual(bench.takeRefusals(), ['call_device 508 pump/pass']);
    assert.deepEqual(
      await clients[0]!.callDevice('lamp', 'pass', 1),
      { last: 'door' },
      'and may be begun again',
    );
  });

  it('ends also when nobody waits for an answer, as with two switches that mirror each other', async () => {
    const bench = await ServicesBench.start();
    const pump = await bench.broker.device({ dialect: 'linux' });
    const lamp = await bench.broker.device({ ...LAMP, dialect: 'linux' });
    let runs = 0;
    for (const [device, other] of [
      [pump, 'lamp'],
      [lamp, 'pump'],
    ] as const) {
      device.resources.set('switch', {
        fn: 2,
        run(payload) {
          runs++;
          device.send(serviceRun('A', 3, [other, 'switch'], { payload }));
          return undefined;
        },
      });
    }
    await bench.broker.server.call(PUMP, 'switch', { payload: true });
    for (let turns = 0; turns < 50; turns++) await bench.broker.clock.settle();
    assert.equal(runs, 9, 'the first by the server, then eight hops');
    assert.deepEqual(bench.takeRefusals(), ['call_device 508 lamp/switch']);
  });

  it('is not what two devices do that happen to call each other at the same moment', async () => {
    const bench = await ServicesBench.start();
    const pump = await bench.broker.device();
    const lamp = await bench.broker.device(LAMP);
    for (const device of [pump, lamp]) device.serves = false;
    pump.send(serviceRun('A', 3, ['lamp', 'level'], { id: 5 }));
    lamp.send(serviceRun('A', 3, ['pump', 'level'], { id: 5 }));
    const [toPump, toLamp] = [await pump.next(Type.RUN), await lamp.next(Type.RUN)];
    pump.ok(toPump.id!, 'of pump');
    lamp.ok(toLamp.id!, 'of lamp');
    assert.equal((await pump.next(Type.OK)).payload, 'of lamp');
    assert.equal((await lamp.next(Type.OK)).payload, 'of pump');
  });

  it('is cut where the server says, and a chain of that length is not', async () => {
    const devices = [PUMP, LAMP, DOOR];
    const bench = await ServicesBench.start({ deviceCalls: { maxHops: 2 } }, { devices });
    const pump = await connectClient(bench.broker, PUMP);
    const lamp = await connectClient(bench.broker, LAMP);
    const door = await connectClient(bench.broker, DOOR);
    lamp.host('ask', { kind: 'output', run: () => lamp.callDevice('door', 'state') });
    door.host('state', { kind: 'output', run: () => 'shut' });
    assert.equal(await pump.callDevice('lamp', 'ask'), 'shut');
    door.resources.clear();
    door.host('state', { kind: 'output', run: () => door.callDevice('pump', 'state') });
    await assert.rejects(pump.callDevice('lamp', 'ask'), { statusCode: 508 });
  });
});
