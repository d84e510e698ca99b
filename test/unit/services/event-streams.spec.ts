import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { ServerEvent } from '../../../src/broker/event-feed';
import { IotmpError } from '../../../src/errors';
import { eventKinds, isEventName } from '../../../src/services/event-names';
import type { EventSubscription } from '../../../src/services/events/event-subscription';
import { LAMP } from '../support/broker-fixture';
import { RawDevice } from '../support/raw-device';
import { message, psonField, Type, varintField } from '../support/raw-message';
import {
  answerTo,
  BOB,
  captured,
  DIALECTS,
  gist,
  samplesOf,
  ServicesBench,
  subscribe,
  subscribed,
} from './support';

/** A server whose devices may hear of all events of their user: these specs are not about rights. */
async function startBench(): Promise<ServicesBench> {
  const bench = await ServicesBench.start();
  bench.services.rights.rules = [{ effect: 'allow', who: '*', action: 'SubscribeEvents', target: '*' }];
  return bench;
}

/** An event that a service would tell. */
function tell(
  bench: ServicesBench,
  user: string,
  event: string,
  fields: Record<string, string> = {},
): ServerEvent {
  const told = { event, user, ts: 5, ...fields };
  bench.broker.server.events.publish(told);
  return told;
}

for (const dialect of DIALECTS) {
  describe(`event streams, dialect ${dialect}`, () => {
    it('give each event of the name as it is, in order, and only those of the user', async () => {
      const bench = await startBench();
      const pump = await bench.broker.device();
      const answer = await subscribed(pump, 7, { event: 'bucket_write' }, dialect);
      assert.equal(answer.payload, undefined);
      const first = tell(bench, 'anna', 'bucket_write', { bucket: 'a' });
      tell(bench, 'anna', 'device_property_update', { property: 'a' });
      tell(bench, 'bob', 'bucket_write', { bucket: 'b' });
      const second = tell(bench, 'anna', 'bucket_write', { bucket: 'c', device: 'lamp' });
      await pump.barrier();
      assert.deepEqual(samplesOf(pump, 7), [first, second]);
    });

    it('tell who comes and goes', async () => {
      const bench = await startBench();
      const pump = await bench.broker.device();
      await subscribed(pump, 7, { event: 'device_state_change', filters: { device: 'la*' } }, dialect);
      const lamp = await bench.broker.device(LAMP);
      await bench.broker.device(BOB);
      lamp.wire.cut();
      await lamp.closed;
      await pump.barrier();
      assert.deepEqual(
        samplesOf(pump, 7).map((event) => {
          const { user, device, state } = event as Record<string, unknown>;
          return [user, device, state];
        }),
        [
          ['anna', 'lamp', 'connected'],
          ['anna', 'lamp', 'disconnected'],
        ],
      );
    });

    it('are refused for what is no event, or no request', async () => {
      const bench = await startBench();
      const pump = await bench.broker.device();
      const requests: [unknown, number][] = [
        [{ event: 'nothing' }, 404],
        [{ event: '' }, 404],
        [{ event: '__proto__' }, 404],
        [{ event: 'x'.repeat(10_000) }, 404],
        [{ event: 5 }, 400],
        [{ event: null }, 400],
        [{ event: ['bucket_write'] }, 400],
        [{}, 400],
        [{ filters: { device: 'pump' } }, 400],
        [{ event: 'bucket_write', filters: 'pump' }, 400],
        [{ event: 'bucket_write', filters: { bucket: { a: 1 } } }, 400],
      ];
      for (const [parameters, status] of requests) {
        pump.send(subscribe(dialect, 7, parameters));
        assert.equal((await answerTo(pump, 7)).parameters, status, JSON.stringify(parameters).slice(0, 60));
      }
      assert.equal(bench.refusals.length, requests.length);
    });

    it('end with a STOP_STREAM, and with the connection', async () => {
      const bench = await startBench();
      const pump = await bench.broker.device();
      const lamp = await bench.broker.device(LAMP);
      for (const device of [pump, lamp]) await subscribed(device, 7, { event: 'bucket_write' }, dialect);
      pump.send(message(Type.STOP_STREAM, varintField(1, 7)));
      assert.equal((await answerTo(pump, 7)).type, Type.OK);
      lamp.wire.cut();
      await lamp.closed;
      const again = await bench.broker.device(LAMP);
      tell(bench, 'anna', 'bucket_write');
      await pump.barrier();
      await again.barrier();
      assert.deepEqual([...samplesOf(pump, 7), ...samplesOf(again, 7)], []);
    });
  });
}

describe('event streams', () => {
  it('are opened by a name alone in dialect B, and by a named resource with a type', async () => {
    const bench = await startBench();
    const pump = await bench.broker.device();
    pump.send(subscribe('B', 7, 'bucket_write'));
    assert.equal((await answerTo(pump, 7)).type, Type.OK);
    pump.send(
      pump.build(Type.START_STREAM, { id: 8, resource: 'bucket_write', parameters: { type: 'event' } }),
    );
    assert.equal((await answerTo(pump, 8)).type, Type.OK);
    const filtered = { type: 'event', filters: { bucket: 'other' } };
    pump.send(pump.build(Type.START_STREAM, { id: 9, resource: 'bucket_write', parameters: filtered }));
    assert.equal((await answerTo(pump, 9)).type, Type.OK);
    const event = tell(bench, 'anna', 'bucket_write', { bucket: 'b' });
    await pump.barrier();
    assert.deepEqual(
      [7, 8, 9].map((id) => samplesOf(pump, id)),
      [[event], [event], []],
    );
    for (const type of ['x', 5, null]) {
      pump.send(pump.build(Type.START_STREAM, { id: 10, resource: 'bucket_write', parameters: { type } }));
      assert.equal((await answerTo(pump, 10)).parameters, 404, 'as any name that nobody hosts');
    }
    pump.send(subscribe('A', 10, { type: 'event' }));
    assert.equal((await answerTo(pump, 10)).parameters, 400);
  });

  it('leave a resource of the server alone that has the name', async () => {
    const bench = await startBench();
    bench.broker.server.offer('bucket_write', { kind: 'output', run: () => 'own' });
    const pump = await bench.broker.device();
    pump.send(
      pump.build(Type.START_STREAM, { id: 7, resource: 'bucket_write', parameters: { type: 'event' } }),
    );
    assert.equal((await answerTo(pump, 7)).type, Type.OK);
    assert.equal((await pump.next(Type.STREAM_DATA)).payload, 'own');
  });

  it('answer as real devices ask, also those that have lost their parameters', async () => {
    const bench = await startBench();
    const pump = await bench.broker.device();
    for (const name of ['event.generic.start', 'event.property.start', 'event.property_current.start']) {
      const { bytes, id = assert.fail() } = captured(name);
      pump.send(bytes);
      assert.deepEqual(gist(await answerTo(pump, id)), ['OK', undefined, undefined], name);
    }
    pump.send(subscribe('A', 5, null));
    const refused = await answerTo(pump, 5);
    assert.deepEqual([refused.type, refused.parameters], [Type.ERROR, 400]);
    await bench.services.properties.set({ user: 'anna', device: 'pump' }, 'config', 5);
    await pump.barrier();
    const current = captured('event.property_current.start').id ?? assert.fail();
    const other = captured('event.property.start').id ?? assert.fail();
    assert.deepEqual([samplesOf(pump, current).length, samplesOf(pump, other).length], [1, 0]);
  });

  it('are bounded for a device, not for others, and free again when they end', async () => {
    const bench = await startBench();
    const pump = await bench.broker.device();
    const open = async (): Promise<number> => {
      for (let id = 1; id <= 300; id++) pump.send(subscribe('A', id, { event: 'bucket_write' }));
      await pump.barrier();
      return pump.all(Type.ERROR).length;
    };
    assert.equal(await open(), 300 - 256);
    assert.ok(pump.all(Type.ERROR).every(({ parameters }) => parameters === 503));
    const lamp = await bench.broker.device(LAMP);
    await subscribed(lamp, 7, { event: 'bucket_write' });
    for (let id = 1; id <= 10; id++) pump.send(message(Type.STOP_STREAM, varintField(1, id)));
    for (let id = 291; id <= 301; id++) pump.send(subscribe('A', id, { event: 'bucket_write' }));
    await pump.barrier();
    assert.equal(pump.all(Type.ERROR).length, 45);
    pump.wire.cut();
    await pump.closed;
    await subscribed(await bench.broker.device(), 7, { event: 'bucket_write' });
  });

  it('may have a source of their own, which answers, refuses, delivers and hears', async () => {
    const bench = await startBench();
    const opened: EventSubscription[] = [];
    const log: unknown[] = [];
    const end = bench.services.events.serve('endpoint_call', {
      open(subscription) {
        if (subscription.parameters.current !== true) throw new IotmpError('IOTMP_ERR_FORBIDDEN', 'no');
        opened.push(subscription);
        subscription.onData = (payload) => log.push(payload);
        subscription.onClose = () => log.push('closed');
        return Promise.resolve({ interval: 5 });
      },
    });
    const other = { open: () => undefined };
    assert.throws(() => bench.services.events.serve('endpoint_call', other), {
      code: 'IOTMP_ERR_CONFLICT',
    });
    const pump = await bench.broker.device();
    pump.send(subscribe('A', 4, { event: 'endpoint_call' }));
    assert.equal((await pump.next()).parameters, 403);
    const id = 5;
    pump.send(subscribe('A', id, { event: 'endpoint_call', current: true }));
    assert.deepEqual(gist(await answerTo(pump, id)), ['OK', undefined, { interval: 5 }]);
    const [subscription = assert.fail()] = opened;
    assert.deepEqual(subscription.caller, { user: 'anna', device: 'pump' });
    subscription.deliver({ interval: 6 });
    pump.sample(id, 'data');
    await pump.barrier();
    assert.deepEqual(samplesOf(pump, id), [{ interval: 6 }]);
    pump.wire.cut();
    await pump.closed;
    assert.deepEqual(log, ['data', 'closed']);
    assert.equal(subscription.closed, true);
    subscription.deliver('late');
    end();
    end();
    const again = await bench.broker.device();
    again.send(subscribe('A', 4, { event: 'endpoint_call' }));
    assert.equal((await again.next()).type, Type.OK, 'as any event now');
  });

  it('warn once of what is too large for the device, and go on', async () => {
    const bench = await startBench();
    const pump = await bench.broker.device();
    await subscribed(pump, 7, { event: 'bucket_write' });
    const large = 'x'.repeat(300_000);
    for (let i = 0; i < 3; i++) tell(bench, 'anna', 'bucket_write', { large });
    const small = tell(bench, 'anna', 'bucket_write');
    await pump.barrier();
    assert.deepEqual(samplesOf(pump, 7), [small]);
    assert.equal(bench.broker.warnings.length, 1);
    assert.match(bench.broker.warnings[0] ?? '', /bucket_write for anna\/pump/);
  });

  it('let data go that an event takes none of', async () => {
    const bench = await startBench();
    const pump = await bench.broker.device();
    await subscribed(pump, 7, { event: 'bucket_write' });
    pump.sample(7, 'x');
    await pump.barrier();
    assert.deepEqual(bench.broker.warnings, []);
    assert.deepEqual(bench.takeRefusals(), []);
  });

  it('stop when the services are closed', async () => {
    const bench = await startBench();
    const listeners = bench.broker.server.events.size;
    const pump = await bench.broker.device();
    await subscribed(pump, 7, { event: 'bucket_write' });
    bench.services.close();
    assert.equal((await pump.next(Type.STOP_STREAM)).id, 7);
    assert.equal(bench.broker.server.events.size, listeners - 2, 'the services and their count of losses');
  });
});

describe('streams of other devices', () => {
  it('give the samples of a named resource, at the pace that was asked for', async () => {
    const bench = await startBench();
    const pump = await bench.broker.device();
    const lamp = await bench.broker.device(LAMP);
    let lux = 0;
    lamp.resources.set('lux', { fn: 3, run: () => ++lux });
    const parameters = { type: 'device', id: 'lamp', interval: 2 };
    pump.send(pump.build(Type.START_STREAM, { id: 7, resource: 'lux', parameters }));
    assert.equal((await answerTo(pump, 7)).type, Type.OK);
    await bench.broker.until(() => samplesOf(pump, 7).length === 1);
    assert.deepEqual([...lamp.streams.values()], [{ resource: 'lux', interval: 2000 }]);
    pump.send(message(Type.STOP_STREAM, varintField(1, 7)));
    await bench.broker.until(() => lamp.streams.size === 0);
  });

  it('wait for a device that is away, and end with the subscriber', async () => {
    const bench = await startBench();
    const pump = await bench.broker.device();
    const event = 'device_resource_stream';
    const filters = { device: 'lamp', resource: 'lux' };
    await subscribed(pump, 7, { event, filters });
    await subscribed(pump, 8, { event, filters }, 'B');
    const lamp = new RawDevice(bench.broker.memory(), LAMP);
    lamp.resources.set('lux', { fn: 3, run: () => 5 });
    lamp.connect();
    await bench.broker.advanceUntil(() => samplesOf(pump, 8).length > 0, 1000);
    const { ts, ...sample } = samplesOf(pump, 7)[0] as Record<string, unknown>;
    assert.equal(typeof ts, 'number');
    assert.deepEqual(sample, {
      event,
      user: 'anna',
      device: 'lamp',
      resource: 'lux',
      payload: 5,
      signal: 'data',
    });
    pump.wire.cut();
    await bench.broker.until(() => lamp.streams.size === 0);
  });

  it('are refused for another user, itself, and what is no such request', async () => {
    const bench = await startBench();
    const pump = await bench.broker.device();
    const requests: [Record<string, unknown>, number][] = [
      [{ id: 'bob/lamp' }, 403],
      [{ id: 'pump' }, 508],
      [{ id: 'anna/pump' }, 508],
      [{}, 400],
      [{ id: '' }, 400],
      [{ id: 'la*' }, 400],
      [{ id: 5 }, 400],
      [{ id: 'lamp', interval: -1 }, 400],
      [{ id: 'lamp', interval: '5' }, 400],
      [{ id: 'lamp', interval: NaN }, 400],
    ];
    for (const [fields, status] of requests) {
      const parameters = { type: 'device', ...fields };
      pump.send(pump.build(Type.START_STREAM, { id: 7, resource: 'lux', parameters }));
      assert.equal((await answerTo(pump, 7)).parameters, status, JSON.stringify(fields));
    }
    pump.send(subscribe('A', 7, { event: 'device_resource_stream' }));
    assert.equal((await answerTo(pump, 7)).parameters, 400);
    const run = message(
      Type.RUN,
      varintField(1, 7),
      psonField(2, { type: 'device', id: 'lamp' }),
      psonField(4, 'lux'),
    );
    pump.send(run);
    assert.equal((await answerTo(pump, 7)).parameters, 405, 'it is no call');
  });
});

describe('event names', () => {
  it('are one list, each once, with the fields to filter by', () => {
    const names = eventKinds.map(({ event }) => event);
    assert.deepEqual(names, [...new Set(names)].sort());
    for (const { event, filters } of eventKinds) {
      assert.ok(isEventName(event));
      assert.ok(filters.every((field) => /^[a-z_]+$/.test(field)));
    }
    assert.equal(isEventName('toString'), false);
  });
});
