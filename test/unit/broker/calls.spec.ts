import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { RemoteError } from '../../../src/errors';
import { BrokerBench, LAMP, PUMP } from '../support/broker-fixture';
import { Type } from '../support/raw-message';

describe('call of a device', () => {
  it('that is offline is an error', async () => {
    const bench = await BrokerBench.start();
    await assert.rejects(bench.server.call(LAMP, 'level', { payload: 1 }), {
      code: 'IOTMP_ERR_OFFLINE',
      message: 'anna/lamp is not connected',
      statusCode: 404,
    });
  });

  it('carries payload and parameters, and gives payload and code of the answer', async () => {
    const bench = await BrokerBench.start();
    const device = await bench.device();
    device.serves = false;
    const call = bench.server.call(PUMP, 'move', { payload: { x: 1.5 }, parameters: { speed: 'slow' } });
    const run = await device.next(Type.RUN);
    assert.deepEqual([run.resource, run.payload, run.parameters], ['move', { x: 1.5 }, { speed: 'slow' }]);
    device.ok(run.id!, 'done', 202);
    const reply = await call;
    assert.deepEqual([reply.payload, reply.statusCode, reply.parameters], ['done', 202, 202]);
  });

  it('of a resource that it does not have is the error of the device', async () => {
    const bench = await BrokerBench.start();
    await bench.device();
    await assert.rejects(bench.server.call(PUMP, 'nothing', { payload: 1 }), (error: unknown) => {
      assert.ok(error instanceof RemoteError);
      assert.deepEqual([error.code, error.statusCode, error.payload], ['IOTMP_ERR_REMOTE', 500, undefined]);
      return true;
    });
  });

  it('with a payload that cannot be sent is rejected, and never throws', async () => {
    const bench = await BrokerBench.start();
    await bench.device();
    const getter = {
      get a(): number {
        throw new Error('no');
      },
    };
    const payloads = [new Map([[1, 2]]), getter, new Date(NaN), { a: () => 1 }, Symbol('x')];
    for (const payload of payloads) {
      const call = bench.server.call(PUMP, 'level', { payload });
      await assert.rejects(call, { code: 'IOTMP_ERR_ENCODE', message: /^cannot encode payload/ });
    }
  });

  it('times out after the time of the server, or of the call', async () => {
    const bench = await BrokerBench.start({ requestTimeoutMs: 3_000 });
    const device = await bench.device();
    device.serves = false;
    const outcomes: string[] = [];
    const note = (name: string) => (error: unknown) => {
      assert.ok(error instanceof Error);
      outcomes.push(`${name} at ${bench.clock.now() - 1_000_000}: ${error.message}`);
    };
    void bench.server.call(PUMP, 'a', { payload: 1 }).catch(note('a'));
    void bench.server.call(PUMP, 'b', { payload: 1, timeoutMs: 500 }).catch(note('b'));
    await bench.clock.advance(3_000);
    assert.deepEqual(outcomes, ['b at 500: no answer within 0.5 s', 'a at 3000: no answer within 3 s']);
  });

  it('is rejected with the reason when the connection ends', async () => {
    const bench = await BrokerBench.start();
    const device = await bench.device();
    device.serves = false;
    const calls = [1, 2, 3].map((payload) =>
      assert.rejects(bench.server.call(PUMP, 'level', { payload }), { code: 'IOTMP_ERR_CLOSED' }),
    );
    await device.next(Type.RUN);
    device.wire.cut();
    await Promise.all(calls);
  });

  it('fails here when its body is past the limit of the device', async () => {
    const bench = await BrokerBench.start();
    const device = await bench.device();
    const count = device.received.length;
    await assert.rejects(bench.server.call(PUMP, 'blob', { payload: Buffer.alloc(40_000) }), {
      code: 'IOTMP_ERR_TOO_LARGE',
    });
    assert.equal(device.received.length, count);
  });
});

describe('what is known of a resource', () => {
  it('is the last input that was written and the last output that was seen', async () => {
    const bench = await BrokerBench.start();
    const device = await bench.device();
    device.resources.set('relay', { fn: 2, run: () => undefined });
    device.resources.set('level', { fn: 3, run: () => 17 });
    device.resources.set('sum', { fn: 4, run: (input) => ({ result: input }) });
    await bench.server.call(PUMP, 'relay', { payload: { state: true } });
    await bench.server.call(PUMP, 'level');
    await bench.server.call(PUMP, 'sum', { payload: 4 });
    const known = bench.server.lastKnown(PUMP);
    const shown = (name: string): unknown => {
      const { input, output } = known?.get(name) ?? {};
      return { input, output };
    };
    assert.deepEqual(shown('relay'), { input: { state: true }, output: undefined });
    assert.deepEqual(shown('level'), { input: undefined, output: 17 });
    assert.deepEqual(shown('sum'), { input: 4, output: { result: 4 } });
  });

  it('keeps what a subscription writes into a stream', async () => {
    const bench = await BrokerBench.start();
    const device = await bench.device();
    device.resources.set('level', { fn: 3, run: () => 17 });
    const subscription = bench.server.subscribe(PUMP, 'level', { intervalMs: 0, onSample: () => undefined });
    await device.barrier();
    await bench.clock.settle();
    subscription.write(5);
    assert.equal(bench.server.lastKnown(PUMP)?.get('level')?.input, 5);
    subscription.close();
  });

  it('outlives the connection, and is never read from the device', async () => {
    const bench = await BrokerBench.start();
    const device = await bench.device();
    device.resources.set('relay', { fn: 2, run: () => undefined });
    await bench.server.call(PUMP, 'relay', { payload: true });
    device.wire.cut();
    await bench.clock.settle();
    assert.equal(bench.server.lastKnown(PUMP)?.get('relay')?.input, true);

    const again = await bench.device();
    assert.equal(bench.server.lastKnown(PUMP)?.get('relay')?.input, true);
    assert.equal(bench.server.device(PUMP)?.lastKnown.get('relay')?.input, true);
    await again.barrier();
    assert.deepEqual(again.acts, []);
    assert.deepEqual(again.all(Type.DESCRIBE), []);
    assert.equal(bench.server.lastKnown(LAMP), undefined);
  });

  it('does not change by a call that fails', async () => {
    const bench = await BrokerBench.start();
    const device = await bench.device();
    device.serves = false;
    for (const code of [500, undefined]) {
      const call = assert.rejects(bench.server.call(PUMP, 'relay', { payload: true }));
      device.error((await device.next(Type.RUN)).id!, { error: 'stuck' }, code);
      await call;
    }
    assert.equal(bench.server.lastKnown(PUMP)?.get('relay'), undefined);
  });

  it('follows the samples of a stream', async () => {
    const bench = await BrokerBench.start();
    const device = await bench.device();
    device.resources.set('level', { fn: 3, run: () => 1 });
    bench.server.subscribe(PUMP, 'level', { intervalMs: 1000, onSample: () => undefined });
    const { id } = await device.next(Type.START_STREAM);
    device.sample(id!, 2);
    device.sample(id!, 3);
    await device.barrier();
    assert.equal(bench.server.lastKnown(PUMP)?.get('level')?.output, 3);
  });
});
