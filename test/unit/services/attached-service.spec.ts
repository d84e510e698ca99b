import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { ServiceCode } from '../../../src/codec/constants';
import { IotmpError } from '../../../src/errors';
import { Answer } from '../../../src/session/hosting/resource';
import { ServerServices } from '../../../src/services/server-services';
import type { Service, ServiceCall, ServiceOffer, ServiceStream } from '../../../src/services/service';
import { serviceName } from '../../../src/services/service-name';
import { BrokerBench } from '../support/broker-fixture';
import { message, psonField, Type, varintField } from '../support/raw-message';
import { ask, DIALECTS, gist, serviceRun, ServicesBench } from './support';

/** A service that notes its calls, and how often it was closed. */
class Endpoint implements Service {
  readonly offers: readonly ServiceOffer[];
  readonly calls: ServiceCall[] = [];
  closed = 0;

  constructor(run: (call: ServiceCall) => unknown, offer: Partial<ServiceOffer> = {}) {
    this.offers = [
      {
        code: ServiceCode.CALL_ENDPOINT,
        name: 'call_endpoint',
        run: (call) => {
          this.calls.push(call);
          return run(call);
        },
        ...offer,
      },
    ];
  }

  close(): void {
    this.closed++;
  }
}

describe('number of a service', () => {
  it('is one that devices can ask for, 1 to 8: others are refused', async () => {
    const { services } = await ServicesBench.startBare();
    for (const code of [0, 9, 1.5, -1, 65_535, NaN]) {
      const offer = { code: code as ServiceOffer['code'] };
      assert.throws(() => services.add(new Endpoint(() => 1, offer)), { code: 'IOTMP_ERR_CONFIG' });
    }
    services.add(new Endpoint(() => 1, { code: ServiceCode.SUBSCRIBE_EVENT }));
  });

  it('is not taken by a resource of the server', async () => {
    const { server } = await BrokerBench.start();
    const resource = { kind: 'output', run: () => 1 } as const;
    for (const id of [0, 8, 70_000, 9.5]) {
      assert.throws(() => server.offer('level', { ...resource, id }), { code: 'IOTMP_ERR_CONFIG' });
    }
    server.offer('level', { ...resource, id: 9 });
  });
});

describe('service name', () => {
  it('has 1 to 64 letters, digits, dots, dashes or underscores', () => {
    for (const name of ['a', 'Mutex_1', 'a.b-c', '__proto__', 'x'.repeat(64), '0'])
      assert.equal(serviceName(name), name);
    const bad = [
      '',
      'a b',
      'a/b',
      'ñ',
      'a\n',
      'a\0',
      'x'.repeat(65),
      '*',
      '{{x}}',
      null,
      undefined,
      1,
      true,
      ['a'],
      {},
    ];
    for (const name of bad) {
      assert.throws(() => serviceName(name), { code: 'IOTMP_ERR_PROTOCOL', statusCode: 400 });
    }
  });
});

for (const dialect of DIALECTS) {
  describe(`attached service, dialect ${dialect}`, () => {
    it('gets the call with its caller, and its result is the answer', async () => {
      const bench = await ServicesBench.startBare();
      const endpoint = new Endpoint(({ payload }) => payload);
      bench.services.add(endpoint);
      const device = await bench.broker.device();
      assert.deepEqual(gist(await ask(device, dialect, 4, 'mail', { n: 1 })), ['OK', undefined, { n: 1 }]);
      assert.deepEqual(gist(await ask(device, dialect, 4, 'mail')), ['OK', undefined, undefined]);
      const [call] = endpoint.calls;
      assert.deepEqual([call?.caller, call?.parameters], [{ user: 'anna', device: 'pump' }, 'mail']);
      assert.deepEqual(bench.takeRefusals(), []);
    });

    it('refuses with status and text, and each refusal is an event', async () => {
      const bench = await ServicesBench.startBare();
      const results: Record<string, () => unknown> = {
        thrown: () => {
          throw new IotmpError('IOTMP_ERR_FORBIDDEN', 'not you');
        },
        rejected: () => Promise.reject(new IotmpError('IOTMP_ERR_NOT_FOUND', 'no such endpoint')),
        broken: () => {
          throw new TypeError('x is not a function');
        },
        passed: () => new Answer({ error: 'the other end says no' }, 409),
      };
      bench.services.add(new Endpoint((call) => results[serviceName(call.parameters)]?.()));
      const device = await bench.broker.device();
      const answers: unknown[] = [];
      for (const name of [...Object.keys(results), 'a b'])
        answers.push(gist(await ask(device, dialect, 4, name)));
      assert.deepEqual(answers, [
        ['ERROR', 403, { error: 'not you' }],
        ['ERROR', 404, { error: 'no such endpoint' }],
        ['ERROR', 500, { error: 'x is not a function' }],
        ['ERROR', 409, { error: 'the other end says no' }],
        ['ERROR', 400, { error: 'a name has 1 to 64 letters, digits, dots, dashes or underscores' }],
      ]);
      const [{ ts, ...first } = assert.fail()] = bench.refusals;
      assert.ok(Math.abs(Date.now() - ts) < 60_000);
      assert.deepEqual(first, {
        event: 'device_service_refused',
        user: 'anna',
        device: 'pump',
        service: 'call_endpoint',
        target: 'thrown',
        statusCode: 403,
        reason: 'not you',
      });
      assert.deepEqual(bench.takeRefusals(), [
        'call_endpoint 403 thrown',
        'call_endpoint 404 rejected',
        'call_endpoint 500 broken',
        'call_endpoint 400 a b',
      ]);
    });

    it('does what wants no answer, and answers nothing; a refusal is still an event', async () => {
      const bench = await ServicesBench.startBare();
      const endpoint = new Endpoint(({ parameters }) => serviceName(parameters));
      bench.services.add(endpoint);
      const device = await bench.broker.device();
      const before = device.received.length;
      for (const id of [undefined, 0]) {
        device.send(serviceRun(dialect, 4, 'mail', { id }));
        device.send(serviceRun(dialect, 4, 'no name', { id }));
      }
      await device.barrier();
      assert.equal(device.received.length, before + 1, 'the KEEP_ALIVE only');
      assert.equal(endpoint.calls.length, 4);
      assert.deepEqual(bench.takeRefusals(), ['call_endpoint 400 no name', 'call_endpoint 400 no name']);
    });
  });
}

describe('attached service', () => {
  it('is refused parameters that are null, absent, numbers or maps', async () => {
    const bench = await ServicesBench.startBare();
    bench.services.add(new Endpoint(({ parameters }) => serviceName(parameters)));
    const device = await bench.broker.device();
    for (const parameters of [null, 7, { a: 1 }, ['mail'], true, 1.5]) {
      assert.equal((await ask(device, 'A', 4, parameters)).parameters, 400);
    }
    device.send(message(Type.RUN, varintField(1, 5), varintField(4, 4)));
    assert.equal((await device.next()).parameters, 400);
    assert.equal(bench.refusals.length, 7);
  });

  it('is neither called by DESCRIBE nor open to streams that it does not offer', async () => {
    const bench = await ServicesBench.startBare();
    const endpoint = new Endpoint(() => 'done');
    bench.services.add(endpoint);
    const device = await bench.broker.device();
    device.send(message(Type.DESCRIBE, varintField(1, 5), psonField(2, 'mail'), varintField(4, 4)));
    assert.deepEqual(gist(await device.next()), ['OK', undefined, undefined]);
    device.send(message(Type.START_STREAM, varintField(1, 6), psonField(2, 'mail'), varintField(4, 4)));
    assert.equal((await device.next()).parameters, 405);
    device.send(message(Type.DESCRIBE, varintField(1, 7)));
    assert.deepEqual(gist(await device.next()), ['OK', undefined, {}]);
    assert.equal(endpoint.calls.length, 0);
  });

  it('may serve streams, and refuse them', async () => {
    const bench = await ServicesBench.startBare();
    const streams: ServiceStream[] = [];
    const offer: ServiceOffer = {
      code: ServiceCode.SUBSCRIBE_EVENT,
      name: 'subscribe_event',
      open(stream) {
        if (stream.parameters === null) throw new IotmpError('IOTMP_ERR_PROTOCOL', 'which event?');
        streams.push(stream);
        return Promise.resolve({ current: 1 });
      },
    };
    let closed = 0;
    bench.services.add({ offers: [offer], close: () => closed++ });
    const device = await bench.broker.device();
    const start = (id: number, parameters: unknown): Buffer =>
      message(Type.START_STREAM, varintField(1, id), psonField(2, parameters), varintField(4, 8));
    device.send(start(5, null));
    assert.deepEqual(gist(await device.next()), ['ERROR', 400, { error: 'which event?' }]);
    assert.deepEqual(bench.takeRefusals(), ['subscribe_event 400 ']);
    device.send(start(6, { event: 'x' }));
    assert.deepEqual(gist(await device.next()), ['OK', undefined, { current: 1 }]);
    streams[0]?.write('news');
    assert.equal((await device.next(Type.STREAM_DATA)).payload, 'news');
    device.send(message(Type.RUN, varintField(1, 7), psonField(2, 'x'), varintField(4, 8)));
    assert.equal((await device.next()).parameters, 405, 'it is no call');
    bench.services.close();
    assert.equal((await device.next()).type, Type.STOP_STREAM);
    assert.equal(closed, 1);
  });

  it('that is late is cut off by its own limit, not by that of the session', async () => {
    const bench = await ServicesBench.startBare();
    bench.services.add(new Endpoint(() => new Promise(() => undefined), { timeoutMs: 60_000 }));
    const device = await bench.broker.device();
    device.send(serviceRun('B', 4, 'slow', { id: 5 }));
    await bench.broker.clock.advance(59_000);
    await device.barrier();
    assert.deepEqual(device.all(Type.ERROR), []);
    await bench.broker.clock.advance(1_000);
    assert.equal((await device.next(Type.ERROR)).parameters, 504);
  });

  it('tells no refusal to those who are gone', async () => {
    const bench = await ServicesBench.startBare();
    const turn = Promise.withResolvers<never>();
    bench.services.add(new Endpoint(() => turn.promise));
    const device = await bench.broker.device();
    device.send(serviceRun('B', 4, 'slow', { id: 5 }));
    await device.barrier();
    device.wire.cut();
    await device.closed;
    turn.reject(new Error('too late'));
    await bench.broker.clock.settle();
    assert.deepEqual(bench.takeRefusals(), []);
  });

  it('has texts of bounded length in its events', async () => {
    const bench = await ServicesBench.startBare();
    bench.services.add(
      new Endpoint(() => {
        throw new Error('r'.repeat(5000));
      }),
    );
    const device = await bench.broker.device();
    await ask(device, 'A', 4, 't'.repeat(5000));
    const [refusal] = bench.refusals;
    assert.deepEqual([refusal?.target.length, refusal?.reason.length], [256, 256]);
  });
});

describe('services of a server', () => {
  it('are offered all or not at all', async () => {
    const bench = await BrokerBench.start();
    const { server } = bench;
    const taken = server.host.offer(ServiceCode.UNLOCK, { kind: 'run', run: () => undefined });
    assert.throws(() => new ServerServices(server), { code: 'IOTMP_ERR_CONFLICT' });
    const device = await bench.device();
    for (const code of [3, 6]) assert.equal((await ask(device, 'A', code, 'x')).parameters, 404);
    taken.remove();
    const services = new ServerServices(server);
    assert.throws(() => new ServerServices(server), { code: 'IOTMP_ERR_CONFLICT' });
    assert.equal((await ask(device, 'A', 3, 'x')).parameters, 400, 'it is there');
    services.close();
  });

  it('are gone after close, may be made anew, and close what was added', async () => {
    const bench = await ServicesBench.startBare();
    const endpoint = new Endpoint(() => 1);
    bench.services.add(endpoint);
    assert.throws(() => bench.services.add(new Endpoint(() => 2)), { code: 'IOTMP_ERR_CONFLICT' });
    const device = await bench.broker.device();
    assert.equal((await ask(device, 'A', 4, 'x')).payload, 1);
    bench.services.close();
    bench.services.close();
    assert.equal(endpoint.closed, 1);
    for (const code of [3, 4, 6, 7]) assert.equal((await ask(device, 'A', code, 'x')).parameters, 404);
    new ServerServices(bench.broker.server).close();
  });

  it('live over a stop and a start of the server', async () => {
    const bench = await ServicesBench.start();
    await bench.broker.server.close();
    await bench.broker.server.start();
    const device = await bench.broker.device();
    assert.equal((await ask(device, 'B', 6, 'crane')).type, Type.OK);
  });
});
