import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { LoginBrake } from '../../../src/broker/login-brake';
import { BrokerBench, PUMP } from '../support/broker-fixture';
import { FakeClock } from '../support/fake-clock';
import { assertRefused } from '../support/login';
import { RawDevice } from '../support/raw-device';

describe('brake of failed logins', () => {
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
    const brake = new LoginBrake(new FakeClock());
    brake.failed('first');
    brake.failed('second');
    brake.failed('first');
    for (let i = 0; i < 4094; i++) brake.failed(`other ${i}`);
    assert.equal(brake.failed('first'), 200);
    brake.failed('one more');
    assert.equal(brake.failed('second'), 0);
  });
});
