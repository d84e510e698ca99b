import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { ServerOptions } from '../../../src/broker/broker-options';
import { IotmpError } from '../../../src/errors';
import { BrokerBench } from '../support/broker-fixture';
import { knock } from '../support/login';
import { CONNECT_ID, RawDevice } from '../support/raw-device';
import { Type } from '../support/raw-message';

/** A server whose authenticator answers when the test says so. */
async function benchWithPending(
  options: ServerOptions = {},
): Promise<{ bench: BrokerBench; verdict: PromiseWithResolvers<undefined> }> {
  const verdict = Promise.withResolvers<undefined>();
  verdict.promise.catch(() => undefined);
  const authenticator = { authenticate: () => verdict.promise };
  const bench = await BrokerBench.start({ devices: [], authenticator, ...options });
  return { bench, verdict };
}

describe('authenticator of the user', () => {
  it('decides later, while what the device sent behind CONNECT waits', async () => {
    const { bench, verdict } = await benchWithPending();
    const device = new RawDevice(bench.memory());
    bench.server.offer('time', { kind: 'output', run: () => 'noon' });
    device.send(
      Buffer.concat([
        device.build(Type.CONNECT, { id: CONNECT_ID, payload: ['x', 'y', 'z'] }),
        device.build(Type.RUN, { id: 9158, resource: 'time' }),
      ]),
    );
    device.send(device.build(Type.RUN, { id: 39017, resource: 'time' }));
    await bench.clock.settle();
    assert.deepEqual(device.received, []);
    verdict.resolve(undefined);
    const answers = [await device.next(), await device.next(), await device.next()];
    assert.deepEqual(
      answers.map(({ type, id, payload }) => [type, id, payload]),
      [
        [Type.OK, CONNECT_ID, undefined],
        [Type.OK, 9158, 'noon'],
        [Type.OK, 39017, 'noon'],
      ],
    );
  });

  it('may reject; what the device sent behind CONNECT is dropped', async () => {
    const { bench, verdict } = await benchWithPending();
    let ran = 0;
    bench.server.offer('time', { kind: 'output', run: () => ++ran });
    const device = new RawDevice(bench.memory());
    device.connect();
    device.send(device.build(Type.RUN, { id: 9158, resource: 'time' }));
    verdict.reject(new IotmpError('IOTMP_ERR_AUTH', 'not today', { statusCode: 2 }));
    const answer = await device.next();
    assert.deepEqual([answer.type, answer.id, answer.parameters], [Type.ERROR, CONNECT_ID, 2]);
    assert.deepEqual(answer.payload, { error: 'not today' });
    await device.closed;
    assert.equal(ran, 0);
    assert.equal(device.received.length, 1);
    assert.equal(bench.refusedLogins[0]?.text, 'not today');
  });

  it('may fail in its own way, which refuses the login and tells the device nothing of the cause', async () => {
    for (const authenticate of [
      () => Promise.reject(new Error('database password is hunter2')),
      () => {
        throw new Error('database password is hunter2');
      },
    ]) {
      const bench = await BrokerBench.start({ devices: [], authenticator: { authenticate } });
      const { device, answer } = await knock(bench);
      assert.equal(answer.type, Type.ERROR);
      assert.doesNotMatch(device.received[0]!.bytes.toString(), /hunter2/);
      assert.equal(bench.refusedLogins[0]?.reason, 'failed');
      assert.deepEqual(bench.warnings, ['the login could not be checked: database password is hunter2']);
    }
  });

  it('may give any thenable, which is waited for', async () => {
    const authenticate = (): Promise<void> => {
      const thenable = { then: (_: unknown, reject: (error: Error) => void) => reject(new Error('no')) };
      return thenable as unknown as Promise<void>;
    };
    const bench = await BrokerBench.start({ devices: [], authenticator: { authenticate } });
    const { answer } = await knock(bench);
    assert.equal(answer.type, Type.ERROR);
    assert.equal(bench.server.deviceCount, 0);
  });

  it('that does not decide in time costs only the connection', async () => {
    const { bench, verdict } = await benchWithPending({ connectTimeoutMs: 3_000 });
    const device = new RawDevice(bench.memory());
    device.connect();
    await bench.clock.advance(2_999);
    assert.equal(device.ended, false);
    await bench.clock.advance(1);
    await device.closed;
    verdict.resolve(undefined);
    await bench.clock.settle();
    assert.deepEqual(bench.log, []);
    assert.deepEqual(device.received, []);
  });

  it('that rejects when the connection is over leaves no timer', async () => {
    const { bench, verdict } = await benchWithPending({ connectTimeoutMs: 1_000 });
    const devices = [1, 2, 3].map(() => new RawDevice(bench.memory()));
    for (const device of devices) device.connect();
    await bench.clock.advance(1_000);
    await Promise.all(devices.map(({ closed }) => closed));
    verdict.reject(new Error('no'));
    await bench.clock.settle();
    assert.equal(bench.refusedLogins.length, 3);
    assert.equal(bench.clock.pending, 1, 'that of the log of refused logins');
  });

  it('has no say any more once another one was configured', async () => {
    const { bench, verdict } = await benchWithPending();
    const device = new RawDevice(bench.memory());
    device.connect();
    await bench.clock.settle();
    await bench.server.configure(bench.options());
    verdict.resolve(undefined);
    const answer = await device.next();
    assert.deepEqual([answer.type, answer.parameters], [Type.ERROR, 2]);
    assert.deepEqual(bench.log, []);
  });
});
