import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { LoginThrottle } from '../../../src/broker/login-throttle';
import { BrokerBench, PUMP } from '../support/broker-fixture';
import { FakeClock } from '../support/fake-clock';
import { assertRefused } from '../support/login';
import { RawDevice } from '../support/raw-device';

describe('throttle of failed logins', () => {
  it('refuses the first failure at once, later ones of the address with growing delays up to 5 s', async () => {
    const bench = await BrokerBench.start();
    const waits: number[] = [];
    for (let i = 0; i < 9; i++) {
      const device = new RawDevice(bench.memory(), { credential: 'guess' });
      const begin = bench.clock.now();
      let answeredAt: number | undefined;
      void device.next().then(() => (answeredAt = bench.clock.now()));
      device.connect();
      await bench.advanceUntil(() => answeredAt !== undefined, 50);
      waits.push(answeredAt! - begin);
    }
    const [first, ...rest] = waits;
    assert.ok(first! <= 50);
    assert.deepEqual(rest, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
  });

  it('never delays right credentials', async () => {
    const bench = await BrokerBench.start();
    await assertRefused(bench, { credential: 'guess' });
    for (let i = 0; i < 5; i++) new RawDevice(bench.memory(), { credential: 'guess' }).connect();
    const before = bench.clock.now();
    await bench.device(PUMP);
    assert.equal(bench.clock.now(), before);
  });

  it('forgets after a minute', async () => {
    const bench = await BrokerBench.start();
    await assertRefused(bench, { credential: 'guess' });
    await bench.clock.advance(60_000);
    await assertRefused(bench, { credential: 'guess' });
  });

  it('ends when the server is closed', async () => {
    const bench = await BrokerBench.start();
    await assertRefused(bench, { credential: 'guess' });
    const device = new RawDevice(bench.memory(), { credential: 'guess' });
    device.connect();
    await bench.clock.settle();
    assert.equal(device.ended, false);
    await bench.server.close();
    await bench.clock.settle();
    assert.equal(bench.clock.pending, 0);
    assert.equal(device.ended, true);
  });

  it('remembers 4096 addresses; the one that failed longest ago is forgotten first', () => {
    const throttle = new LoginThrottle(new FakeClock());
    throttle.failed('first');
    throttle.failed('second');
    throttle.failed('first');
    for (let i = 0; i < 4094; i++) throttle.failed(`other ${i}`);
    assert.equal(throttle.failed('first'), 200);
    throttle.failed('one more');
    assert.equal(throttle.failed('second'), 0);
  });
});
