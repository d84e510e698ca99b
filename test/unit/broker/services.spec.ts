import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { ServiceHost, serviceRequest } from '../../../src/broker/service-host';
import { ServiceCode } from '../../../src/codec/constants';
import { IotmpError } from '../../../src/errors';
import { Answer, type ResourceCall, type ResourceStream } from '../../../src/session/hosting/resource';
import { BrokerBench, PUMP } from '../support/broker-fixture';
import { hex, message, psonField, Type, varintField } from '../support/raw-message';

describe('service request', () => {
  it('has its code in the one of the two fields that holds a number', () => {
    assert.deepEqual(serviceRequest(1, 'color'), { code: 1, argument: 'color' });
    assert.deepEqual(serviceRequest('color', 1), { code: 1, argument: 'color' });
    assert.deepEqual(serviceRequest(3, ['lamp', 'on']), { code: 3, argument: ['lamp', 'on'] });
    assert.deepEqual(serviceRequest(['lamp', 'on'], 3), { code: 3, argument: ['lamp', 'on'] });
    assert.deepEqual(serviceRequest(8, { event: 'x' }), { code: 8, argument: { event: 'x' } });
    assert.deepEqual(serviceRequest(8, null), { code: 8, argument: null });
    assert.deepEqual(serviceRequest(2, undefined), { code: 2, argument: undefined });
    assert.deepEqual(serviceRequest(2, 5), { code: 2, argument: 5 });
  });

  it('is none without a code from 1 to 8', () => {
    for (const other of [0, 9, -1, 1.5, 256, 2n ** 60n, NaN]) {
      assert.equal(serviceRequest(other, 'color'), undefined);
      assert.equal(serviceRequest('color', other), undefined);
    }
    assert.equal(serviceRequest('color', { code: 1 }), undefined);
    assert.equal(serviceRequest(undefined, 1), undefined);
    assert.equal(serviceRequest(null, 1), undefined);
    assert.equal(serviceRequest('color', undefined), undefined);
  });
});

describe('service host', () => {
  it('offers each service once', () => {
    const host = new ServiceHost();
    const offered = host.offer(ServiceCode.READ_PROPERTY, { kind: 'output', run: () => 1 });
    assert.throws(() => host.offer(ServiceCode.READ_PROPERTY, { kind: 'output', run: () => 2 }), {
      code: 'IOTMP_ERR_CONFLICT',
    });
    offered.remove();
    host.offer(ServiceCode.READ_PROPERTY, { kind: 'output', run: () => 2 });
    offered.remove();
    assert.notEqual(host.resolve(1, 'x'), undefined, 'an old handle takes nothing away');
  });

  it('does not list services among the resources', () => {
    const host = new ServiceHost();
    host.offer(ServiceCode.LOCK, { kind: 'run', run: () => undefined });
    host.resources.host('time', { kind: 'output', run: () => 1 });
    assert.deepEqual(host.describeAll(), { time: { fn: 3 } });
  });
});

const DIALECTS = ['A: code in resource', 'B: code in parameters'] as const;

for (const dialect of DIALECTS) {
  const isA = dialect.startsWith('A');
  const request = (code: number, name: unknown, id?: number, payload?: unknown): Buffer =>
    message(
      Type.RUN,
      ...(id === undefined ? [] : [varintField(1, id)]),
      isA ? psonField(2, name) : varintField(2, code),
      ...(payload === undefined ? [] : [psonField(3, payload)]),
      isA ? varintField(4, code) : psonField(4, name),
    );

  describe(`services in dialect ${dialect}`, () => {
    it('are answered with 404 while nobody offers them, in one write each', async () => {
      const bench = await BrokerBench.start();
      const device = await bench.device();
      for (let code = 1; code <= 8; code++) {
        const chunks = device.chunks.length;
        device.send(request(code, 'color', 100 + code));
        const answer = await device.next();
        assert.deepEqual([answer.type, answer.id, answer.parameters], [Type.ERROR, 100 + code, 404]);
        assert.deepEqual(answer.payload, { error: 'no such resource' });
        assert.equal(device.chunks.length, chunks + 1);
      }
    });

    it('are dispatched with name, payload and caller when they are offered', async () => {
      const bench = await BrokerBench.start();
      const device = await bench.device();
      const calls: ResourceCall[] = [];
      bench.server.host.offer(ServiceCode.SET_PROPERTY, {
        kind: 'run',
        run(call) {
          calls.push(call);
        },
      });
      bench.server.host.offer(ServiceCode.READ_PROPERTY, {
        kind: 'output',
        run: ({ parameters }) => parameters,
      });
      device.send(request(2, 'color', 5, { r: 1 }));
      assert.equal((await device.next()).bytes.toString('hex'), '01020805');
      device.send(request(1, 'color', 6));
      assert.equal((await device.next()).payload, 'color');
      const [call] = calls;
      assert.deepEqual(
        [call?.path, call?.parameters, call?.payload, call?.caller],
        ['color', 'color', { r: 1 }, { user: 'anna', device: 'pump' }],
      );
    });

    it('do their work and answer nothing without a stream id, or with id 0', async () => {
      const bench = await BrokerBench.start();
      const device = await bench.device();
      const names: unknown[] = [];
      bench.server.host.offer(ServiceCode.CALL_ENDPOINT, {
        kind: 'run',
        run: ({ parameters }) => void names.push(parameters),
      });
      device.send(request(4, 'mail'));
      device.send(request(4, 'sms', 0));
      device.send(request(5, 'nobody offers this'));
      await device.barrier();
      assert.deepEqual(names, ['mail', 'sms']);
      assert.deepEqual(
        device.received.map(({ type }) => type),
        [Type.OK, Type.KEEP_ALIVE],
      );
    });
  });
}

describe('service of the server', () => {
  it('that opens event streams gets the parameters, and its OK carries what it gives', async () => {
    const bench = await BrokerBench.start();
    const device = await bench.device();
    const streams: ResourceStream[] = [];
    bench.server.host.offer(ServiceCode.SUBSCRIBE_EVENT, {
      kind: 'output',
      run: () => undefined,
      open(stream) {
        streams.push(stream);
        return { current: 1 };
      },
    });
    const parameters = { event: 'device_property_update', filters: { property: 'config' }, current: true };
    device.send(message(Type.START_STREAM, varintField(1, 9), psonField(2, parameters), varintField(4, 8)));
    const ok = await device.next();
    assert.deepEqual([ok.type, ok.id, ok.payload], [Type.OK, 9, { current: 1 }]);
    const [stream] = streams;
    assert.deepEqual(stream?.parameters, parameters);
    stream.write('news');
    const data = await device.next(Type.STREAM_DATA);
    assert.deepEqual([data.id, data.payload], [9, 'news']);
  });

  it('answers with its own code, and a failure of it with 500 and its text', async () => {
    const bench = await BrokerBench.start();
    const device = await bench.device();
    const results: Record<string, () => unknown> = {
      gone: () => new Answer({ error: 'gone' }, 410),
      created: () => new Answer('made', 201),
      thrown: () => {
        throw new IotmpError('IOTMP_ERR_CONFLICT', 'it is locked');
      },
      broken: () => Promise.reject(new TypeError('x is not a function')),
      odd: () => Symbol('x'),
    };
    bench.server.host.offer(ServiceCode.CALL_ENDPOINT, {
      kind: 'inout',
      run: ({ path }) => results[path]?.(),
    });
    const answers: unknown[] = [];
    for (const name of Object.keys(results)) {
      device.send(message(Type.RUN, varintField(1, 7), varintField(2, 4), psonField(4, name)));
      const { type, parameters, payload } = await device.next();
      answers.push([name, type, parameters, payload]);
    }
    assert.deepEqual(answers, [
      ['gone', Type.ERROR, 410, { error: 'gone' }],
      ['created', Type.OK, 201, 'made'],
      ['thrown', Type.ERROR, 409, { error: 'it is locked' }],
      ['broken', Type.ERROR, 500, { error: 'x is not a function' }],
      ['odd', Type.ERROR, 500, { error: 'cannot encode payload: a symbol cannot be sent' }],
    ]);
  });

  it('answers captured requests of both dialects', async () => {
    const bench = await BrokerBench.start();
    const device = await bench.device();
    const seen: unknown[] = [];
    for (const code of [1, 2, 4, 5]) {
      bench.server.host.offer(code, {
        kind: 'inout',
        run: ({ parameters, payload }) => {
          seen.push([code, parameters, payload]);
          return null;
        },
      });
    }
    for (const digits of [
      '06 0a 08 7c 10 01 22 84 70726f70',
      '06 17 08 d1b803 10 02 18 fbffffffffffffffff01 22 84 70726f70',
      '06 0a 08 9faf03 10 04 22 82 6570',
      '06 0b 08 b424 12 84 6e616d65 20 01',
      '06 10 08 b424 12 84 6e616d65 1a c1 81 76 01 20 05',
    ]) {
      device.send(hex(digits));
      assert.equal((await device.next()).type, Type.OK, digits);
    }
    assert.deepEqual(seen, [
      [1, 'prop', undefined],
      [2, 'prop', -5],
      [4, 'ep', undefined],
      [1, 'name', undefined],
      [5, 'name', { v: 1 }],
    ]);
  });
});

describe('resource of the server', () => {
  it('is called by name, as an array and by its own number, and knows who calls', async () => {
    const bench = await BrokerBench.start();
    const device = await bench.device();
    bench.server.offer('who/:what', {
      kind: 'output',
      run: ({ caller, captures, path }) => ({ caller, captures, path }),
    });
    bench.server.offer('time', { kind: 'output', id: 300, run: () => 'noon' });
    for (const resource of [psonField(4, 'who/am-i'), psonField(4, ['who', 'am-i'])]) {
      device.send(message(Type.RUN, varintField(1, 5), resource));
      assert.deepEqual((await device.next()).payload, {
        caller: { user: 'anna', device: 'pump' },
        captures: { what: 'am-i' },
        path: 'who/am-i',
      });
    }
    device.send(message(Type.RUN, varintField(1, 5), varintField(4, 300)));
    assert.equal((await device.next()).payload, 'noon');
  });

  it('takes numeric parameters that are no code of a service', async () => {
    const bench = await BrokerBench.start();
    const device = await bench.device();
    bench.server.offer('echo', { kind: 'output', run: ({ parameters }) => parameters });
    for (const parameters of [0, 9, 42, -1, 2 ** 40, 1.5]) {
      device.send(device.build(Type.RUN, { id: 5, parameters, resource: 'echo' }));
      assert.equal((await device.next()).payload, parameters);
    }
    device.send(device.build(Type.RUN, { id: 5, parameters: 4, resource: 'echo' }));
    assert.equal((await device.next()).type, Type.ERROR, '4 is the code of a service');
  });

  it('is streamed at a bare interval, also one that is the code of a service', async () => {
    const bench = await BrokerBench.start();
    const device = await bench.device();
    const asked: unknown[] = [];
    bench.server.host.offer(ServiceCode.SUBSCRIBE_EVENT, {
      kind: 'output',
      run: () => undefined,
      open: ({ path, parameters }) => void asked.push([path, parameters]),
    });
    bench.server.offer('time', { kind: 'output', run: () => 'noon' });
    for (let interval = 1; interval <= 9; interval++) {
      const id = 20 + interval;
      const start = device.build(Type.START_STREAM, { id, parameters: interval, resource: 'time' });
      device.send(start);
      const [answer, sample] = [await device.next(), await device.next()];
      assert.deepEqual([answer.type, answer.id, sample.payload], [Type.OK, id, 'noon']);
    }
    assert.deepEqual(asked, []);
    device.send(device.build(Type.START_STREAM, { id: 30, parameters: 8, resource: 'nothing' }));
    device.send(device.build(Type.START_STREAM, { id: 31, parameters: 8, resource: { event: 'x' } }));
    await device.barrier();
    assert.deepEqual(asked, [
      ['nothing', 'nothing'],
      ['', { event: 'x' }],
    ]);
    device.send(device.build(Type.START_STREAM, { id: 32, parameters: 5, resource: 'nothing' }));
    assert.equal((await device.next(Type.ERROR)).parameters, 404);
  });

  it('may be described by a device, all of them or one', async () => {
    const bench = await BrokerBench.start();
    const device = await bench.device();
    bench.server.offer('time', { kind: 'output', run: () => 'noon' });
    device.send(message(Type.DESCRIBE, varintField(1, 5)));
    assert.deepEqual((await device.next()).payload, { time: { fn: 3 } });
    device.send(message(Type.DESCRIBE, varintField(1, 6), psonField(4, 'time')));
    assert.deepEqual((await device.next()).payload, { out: 'noon' });
    device.send(message(Type.DESCRIBE, varintField(1, 7), psonField(4, 'nothing')));
    assert.deepEqual((await device.next()).parameters, 404);
  });

  it('is called by two devices at once, each with its own name', async () => {
    const bench = await BrokerBench.start();
    const pump = await bench.device();
    const lamp = await bench.device({ device: 'lamp', credential: 'light' });
    const turn = Promise.withResolvers<undefined>();
    bench.server.offer('who', {
      kind: 'output',
      run: ({ caller }) => turn.promise.then(() => caller?.device),
    });
    for (const device of [pump, lamp]) device.send(device.build(Type.RUN, { id: 9158, resource: 'who' }));
    await bench.clock.settle();
    turn.resolve(undefined);
    assert.deepEqual([(await pump.next()).payload, (await lamp.next()).payload], ['pump', 'lamp']);
  });

  it('hears of the end of its caller by the signal', async () => {
    const bench = await BrokerBench.start();
    const device = await bench.device();
    const aborted = Promise.withResolvers<unknown>();
    bench.server.offer('slow', {
      kind: 'output',
      run: ({ signal }) =>
        new Promise(() => {
          signal.addEventListener('abort', () => aborted.resolve(signal.reason));
        }),
    });
    device.send(device.build(Type.RUN, { id: 5, resource: 'slow' }));
    await device.barrier();
    device.wire.cut();
    const reason = await aborted.promise;
    assert.ok(reason instanceof IotmpError);
    assert.equal(bench.server.device(PUMP), undefined);
  });
});
