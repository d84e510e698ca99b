import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { ServerEvent } from '../../../src/broker/event-feed';
import { ErrorStatus, IotmpError } from '../../../src/errors';
import { Answer } from '../../../src/session/hosting/resource';
import type { EndpointCall } from '../../../src/services/endpoints';
import { PUMP } from '../support/broker-fixture';
import type { RawDevice } from '../support/raw-device';
import { Type } from '../support/raw-message';
import { vectors } from '../support/vectors';
import { answerTo, ask, captured, connectClient, DIALECTS, gist, serviceRun, ServicesBench } from './support';

const CODE = 4;

interface Scene {
  readonly bench: ServicesBench;
  readonly pump: RawDevice;
  /** The events of endpoints. */
  readonly events: ServerEvent[];
}

async function scene(): Promise<Scene> {
  const bench = await ServicesBench.start();
  const pump = await bench.broker.device();
  const events: ServerEvent[] = [];
  bench.broker.server.events.listen((event) => {
    if (event.event.startsWith('endpoint_')) events.push(event);
  });
  return { bench, pump, events };
}

for (const dialect of DIALECTS) {
  describe(`endpoints, dialect ${dialect}`, () => {
    it('are called with what the device sent, and their answer is the answer', async () => {
      const { bench, pump } = await scene();
      const calls: EndpointCall[] = [];
      bench.services.endpoints.host('mail', (call) => {
        calls.push(call);
        return call.payload === undefined ? undefined : { sent: call.payload };
      });
      bench.services.endpoints.host('late', () => Promise.resolve(-5));
      assert.deepEqual(gist(await ask(pump, dialect, CODE, 'mail', { to: 'a' })), [
        'OK',
        undefined,
        { sent: { to: 'a' } },
      ]);
      assert.deepEqual(gist(await ask(pump, dialect, CODE, 'mail')), ['OK', undefined, undefined]);
      assert.deepEqual(gist(await ask(pump, dialect, CODE, 'late', null)), ['OK', undefined, -5]);
      assert.deepEqual(
        calls.map(({ name, payload, user, caller }) => ({ name, payload, user, caller })),
        [{ to: 'a' }, undefined].map((payload) => ({
          name: 'mail',
          payload,
          user: 'anna',
          caller: { user: 'anna', device: 'pump' },
        })),
      );
      assert.equal(bench.services.endpoints.pending, 0);
    });

    it('answer with a status, or an error', async () => {
      const { bench, pump } = await scene();
      const { endpoints } = bench.services;
      endpoints.host('made', () => new Answer('id', 201));
      endpoints.host('no', () => new Answer({ why: 'full' }, 507));
      endpoints.host('forbidden', () => {
        throw new IotmpError('IOTMP_ERR_FORBIDDEN', 'not you');
      });
      endpoints.host('broken', () => Promise.reject(new TypeError('x is not a function')));
      endpoints.host('odd', () => ({ f: () => 1 }));
      const answers: unknown[] = [];
      for (const name of ['made', 'no', 'forbidden', 'broken', 'nobody', 'a b']) {
        answers.push(gist(await ask(pump, dialect, CODE, name)));
      }
      assert.deepEqual(answers, [
        ['OK', 201, 'id'],
        ['ERROR', 507, { why: 'full' }],
        ['ERROR', 403, { error: 'not you' }],
        ['ERROR', 500, { error: 'x is not a function' }],
        ['ERROR', 404, { error: 'no such endpoint' }],
        ['ERROR', 400, { error: 'a name has 1 to 64 letters, digits, dots, dashes or underscores' }],
      ]);
      assert.equal((await ask(pump, dialect, CODE, 'odd')).parameters, ErrorStatus.IOTMP_ERR_ENCODE);
    });

    it('have a time of their own, if they were given one', async () => {
      const { bench, pump } = await scene();
      const { endpoints } = bench.services;
      endpoints.host('long', () => new Promise(() => undefined), { timeoutMs: 30_000 });
      pump.send(serviceRun(dialect, CODE, 'long', { id: 5 }));
      await pump.barrier();
      await bench.broker.clock.advance(29_999);
      assert.equal(endpoints.pending, 1);
      await bench.broker.clock.advance(1);
      assert.equal((await answerTo(pump, 5)).parameters, 504);
    });

    it('are cut off in time, and hear of it', async () => {
      const { bench, pump, events } = await scene();
      const signals: AbortSignal[] = [];
      const aborted = (): boolean[] => signals.map((signal) => signal.aborted);
      bench.services.endpoints.host('slow', ({ signal }) => {
        signals.push(signal);
        return new Promise(() => undefined);
      });
      pump.send(serviceRun(dialect, CODE, 'slow', { id: 5 }));
      await pump.barrier();
      await bench.broker.clock.advance(7_999);
      assert.deepEqual(aborted(), [false]);
      await bench.broker.clock.advance(1);
      assert.equal((await answerTo(pump, 5)).parameters, 504);
      assert.deepEqual(aborted(), [true]);
      assert.deepEqual(
        events.map(({ event, statusCode }) => [event, statusCode]),
        [
          ['endpoint_call', undefined],
          ['endpoint_call_response', 504],
        ],
      );
      pump.send(serviceRun(dialect, CODE, 'slow', { id: 6 }));
      await pump.barrier();
      pump.wire.cut();
      await pump.closed;
      assert.deepEqual(aborted(), [true, true], 'the caller is gone');
      await bench.broker.clock.settle();
      assert.equal(bench.services.endpoints.pending, 0);
    });
  });
}

describe('endpoints', () => {
  it('take what real devices sent', async () => {
    const { bench, pump } = await scene();
    const calls: [string, unknown][] = [];
    for (const name of ['alert_email', 'ep', 'name']) {
      bench.services.endpoints.host(name, ({ payload }) => void calls.push([name, payload]));
    }
    const runs = vectors.filter(({ name, direction, type }) => {
      return name.includes('call_endpoint') && direction === 'device->server' && type === Type.RUN;
    });
    assert.ok(runs.length >= 8);
    for (const { bytes, name, fields } of runs) {
      calls.length = 0;
      pump.send(bytes);
      await pump.barrier();
      assert.equal(calls.length, 1, name);
      assert.deepEqual(calls[0]?.[1], fields?.payload, name);
    }
    assert.deepEqual(pump.all(Type.ERROR), []);
    const { id } = captured('call.call_endpoint_data_confirm');
    assert.ok(pump.all(Type.OK).some((answer) => answer.id === id));
  });

  it('have one handler each, until it is taken away', async () => {
    const { bench, pump } = await scene();
    const { endpoints } = bench.services;
    const end = endpoints.host('mail', () => 1);
    assert.throws(() => endpoints.host('mail', () => 2), { code: 'IOTMP_ERR_CONFLICT' });
    assert.throws(() => endpoints.host('a b', () => 2), { code: 'IOTMP_ERR_PROTOCOL' });
    assert.deepEqual(endpoints.names, ['mail']);
    end();
    assert.equal((await ask(pump, 'A', CODE, 'mail')).parameters, 404);
    endpoints.host('mail', () => 2);
    end();
    assert.equal((await ask(pump, 'A', CODE, 'mail')).payload, 2);
  });

  it('are events, the call and the answer', async () => {
    const { bench, pump, events } = await scene();
    bench.services.endpoints.host('mail', ({ payload }) => payload);
    await ask(pump, 'A', CODE, 'mail', { n: 1 });
    await bench.services.endpoints.call('bob', 'mail', undefined);
    await ask(pump, 'A', CODE, 'nobody');
    const common = { user: 'anna', device: 'pump', endpoint: 'mail', payload: { n: 1 } };
    assert.deepEqual(
      events.map((event) => ({ ...event, ts: 0 })),
      [
        { event: 'endpoint_call', ...common, ts: 0 },
        { event: 'endpoint_call_response', ...common, statusCode: 200, ts: 0 },
        { event: 'endpoint_call', user: 'bob', endpoint: 'mail', payload: null, ts: 0 },
        {
          event: 'endpoint_call_response',
          user: 'bob',
          endpoint: 'mail',
          payload: null,
          statusCode: 200,
          ts: 0,
        },
      ],
    );
  });

  it('are called by programs', async () => {
    const { bench } = await scene();
    const { endpoints } = bench.services;
    endpoints.host('echo', ({ payload, user, caller }) => ({ payload, user, caller: caller?.device }));
    endpoints.host('no', () => new Answer({ why: 'full' }, 507));
    endpoints.host('odd', () => () => 1);
    assert.deepEqual(await endpoints.call('anna', 'echo', new Map([['a', 1]])), {
      payload: { payload: { a: 1 }, user: 'anna' },
      statusCode: 200,
    });
    const { payload } = await endpoints.call('anna', 'echo', 1, { caller: PUMP });
    assert.deepEqual(payload, { payload: 1, user: 'anna', caller: 'pump' });
    await assert.rejects(endpoints.call('anna', 'no', 1), {
      code: 'IOTMP_ERR_REMOTE',
      statusCode: 507,
      message: 'endpoint "no" answered 507',
      payload: { why: 'full' },
    });
    endpoints.host('told', () => new Answer({ error: 'the mail server is down' }, 503));
    await assert.rejects(endpoints.call('anna', 'told', 1), {
      message: 'the mail server is down',
      statusCode: 503,
    });
    await assert.rejects(endpoints.call('anna', 'odd', 1), { code: 'IOTMP_ERR_ENCODE' });
    await assert.rejects(
      endpoints.call('anna', 'echo', () => 1),
      { code: 'IOTMP_ERR_ENCODE' },
    );
    await assert.rejects(endpoints.call('anna', 'nobody', 1), { code: 'IOTMP_ERR_NOT_FOUND' });
  });

  it('are given up with the signal of the program', async () => {
    const { bench } = await scene();
    const { endpoints } = bench.services;
    let asked = 0;
    endpoints.host('slow', () => {
      asked++;
      return new Promise(() => undefined);
    });
    const gone = AbortSignal.abort();
    await assert.rejects(endpoints.call('anna', 'slow', 1, { signal: gone }), { code: 'IOTMP_ERR_ABORTED' });
    assert.equal(asked, 0);
    const controller = new AbortController();
    const call = endpoints.call('anna', 'slow', 1, { signal: controller.signal });
    controller.abort();
    await assert.rejects(call, { code: 'IOTMP_ERR_ABORTED' });
    assert.deepEqual([asked, endpoints.pending], [1, 0]);
  });

  it('are bounded in the calls that wait, and end with the services', async () => {
    const { bench } = await scene();
    const { endpoints } = bench.services;
    endpoints.host('slow', () => new Promise(() => undefined));
    const codes: unknown[] = [];
    const calls = Array.from({ length: 1025 }, () =>
      endpoints.call('anna', 'slow', 1).catch((error: unknown) => codes.push((error as IotmpError).code)),
    );
    await calls.at(-1);
    assert.deepEqual(codes, ['IOTMP_ERR_BUSY']);
    bench.services.close();
    await Promise.all(calls);
    assert.deepEqual([...new Set(codes)], ['IOTMP_ERR_BUSY', 'IOTMP_ERR_CLOSED']);
    assert.equal(endpoints.pending, 0);
  });

  it('are called by clients', async () => {
    const bench = await ServicesBench.start();
    bench.services.endpoints.host('mail', ({ payload, caller }) => [caller?.device, payload]);
    const client = await connectClient(bench.broker, PUMP);
    assert.deepEqual(await client.callEndpoint('mail', { n: 1 }), ['pump', { n: 1 }]);
    await assert.rejects(client.callEndpoint('nobody'), { code: 'IOTMP_ERR_REMOTE', statusCode: 404 });
  });
});
