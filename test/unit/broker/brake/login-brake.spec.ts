import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { IotmpError } from '../../../../src/errors';
import { BrokerBench, PUMP } from '../../support/broker-fixture';
import { RawDevice, type RawDeviceOptions } from '../../support/raw-device';
import { Type } from '../../support/raw-message';

/** What came of a try: `ok`, `error`, or `cut` without an answer; `undefined` while it is open. */
interface Try {
  readonly device: RawDevice;
  result: 'ok' | 'error' | 'cut' | undefined;
  /** How long the answer took, in ms. */
  tookMs: number | undefined;
}

const ADDRESS = '192.0.2.7';

/** Tries to log in, and does not wait for what comes of it. */
function begin(bench: BrokerBench, options: Partial<RawDeviceOptions> = {}, address = ADDRESS): Try {
  const device = new RawDevice(bench.memory({ remoteAddress: `${address}:4711` }), options);
  const attempt: Try = { device, result: undefined, tookMs: undefined };
  const start = bench.clock.now();
  const end = (result: Try['result']): void => {
    attempt.result ??= result;
    attempt.tookMs ??= bench.clock.now() - start;
  };
  void device.next().then(
    ({ type }) => end(type === Type.OK ? 'ok' : 'error'),
    () => undefined,
  );
  void device.closed.then(() => end('cut'));
  device.connect();
  return attempt;
}

async function many(
  bench: BrokerBench,
  count: number,
  options: (index: number) => Partial<RawDeviceOptions>,
  address = ADDRESS,
): Promise<Try[]> {
  const tries = Array.from({ length: count }, (_, index) => begin(bench, options(index), address));
  await bench.clock.settle();
  return tries;
}

const wrong = (): Partial<RawDeviceOptions> => ({ credential: 'guess' });
const madeUp = (index: number): Partial<RawDeviceOptions> => ({ device: `made-up-${index}` });

function count(tries: readonly Try[], result: Try['result']): number {
  return tries.filter((attempt) => attempt.result === result).length;
}

/** An authenticator that decides when a test says so. */
class SlowAuthenticator {
  checks = 0;
  readonly #pending: PromiseWithResolvers<undefined>[] = [];

  authenticate(): Promise<undefined> {
    this.checks++;
    const pending = Promise.withResolvers<undefined>();
    this.#pending.push(pending);
    return pending.promise;
  }

  decide(accepts: boolean, atMost = Infinity): void {
    for (const { resolve, reject } of this.#pending.splice(0, atMost)) {
      if (accepts) resolve(undefined);
      else reject(new IotmpError('IOTMP_ERR_AUTH', 'no', { statusCode: 2 }));
    }
  }
}

describe('brake of logins: a device', () => {
  it('is refused at once three times; then a refusal is held back for 5 s, and is no check', async () => {
    let checks = 0;
    const authenticator = {
      authenticate: () => {
        checks++;
        throw new IotmpError('IOTMP_ERR_AUTH', 'no', { statusCode: 2 });
      },
    };
    const bench = await BrokerBench.start({ authenticator });
    const waits: (number | undefined)[] = [];
    for (let i = 0; i < 4; i++) {
      const attempt = begin(bench);
      await bench.advanceUntil(() => attempt.result === 'error', 100);
      waits.push(attempt.tookMs);
    }
    assert.deepEqual(waits, [0, 0, 0, 5000]);
    assert.equal(checks, 3);
    assert.deepEqual(Object.fromEntries(bench.server.refusedLogins.counts), { credentials: 3, rate: 1 });
  });

  it('is checked once in 5 s in the long run, whatever it does', async () => {
    const bench = await BrokerBench.start();
    await bench.device({}, bench.memory({ remoteAddress: `${ADDRESS}:1` }));
    for (let second = 0; second < 100; second++) {
      for (let i = 0; i < 10; i++) begin(bench, { device: 'lamp', credential: 'guess' }).device.wire.cut();
      const lamp = begin(bench, { device: 'lamp', credential: 'guess' });
      await bench.clock.advance(1000);
      lamp.device.wire.cut();
    }
    assert.ok(bench.server.refusedLogins.counts.get('credentials')! <= 3 + 20);
  });

  it('gets in with the right credential after three wrong ones and 5 s', async () => {
    const bench = await BrokerBench.start();
    await many(bench, 3, wrong);
    await bench.clock.advance(5000);
    const [attempt] = await many(bench, 1, () => PUMP);
    assert.equal(attempt?.result, 'ok');
  });

  it('that was let in from an address before is not locked out by its neighbours', async () => {
    const bench = await BrokerBench.start();
    const [first] = await many(bench, 1, () => PUMP);
    assert.equal(first?.result, 'ok');
    await many(bench, 100, madeUp);
    const [again, stranger] = [begin(bench, PUMP), begin(bench, { device: 'lamp', credential: 'light' })];
    await bench.clock.settle();
    assert.equal(again.result, 'ok');
    assert.equal(stranger.result, undefined, 'the address has no try left for who was never let in');
  });

  it('cannot be locked out from another address', async () => {
    const bench = await BrokerBench.start();
    for (let i = 0; i < 30; i++) await many(bench, 4, wrong, `198.51.100.${i}`);
    const [attempt] = await many(bench, 1, () => PUMP);
    assert.equal(attempt?.result, 'ok');
  });

  it('that keeps right credentials is never slowed down', async () => {
    const bench = await BrokerBench.start();
    for (let i = 0; i < 300; i++) {
      const [attempt] = await many(bench, 1, () => PUMP);
      assert.equal(attempt?.result, 'ok');
      attempt.device.wire.cut();
      await bench.clock.settle();
    }
    assert.equal(bench.server.refusedLogins.total, 0);
  });
});

describe('brake of logins: an address', () => {
  it('from which nobody was let in has 50 tries; the 51st blocks it for 15 s', async () => {
    const bench = await BrokerBench.start();
    assert.equal(count(await many(bench, 50, madeUp), 'error'), 50);
    assert.equal(bench.server.blockedAddresses.length, 0);
    const [last] = await many(bench, 1, () => PUMP);
    assert.equal(last?.result, 'cut');
    const [block] = bench.server.blockedAddresses;
    assert.deepEqual([block?.address, block?.tries, block!.until - block!.since], [ADDRESS, 1, 15_000]);
    assert.equal(bench.refusalLines.at(-1), `address blocked for 15 s: address=${ADDRESS} tries=1`);
    assert.equal(bench.server.refusedLogins.last?.reason, 'blocked');
    assert.equal(bench.refusedLogins.length, 51);
  });

  it('that is blocked is cut unread, and counted, and let in again when the time is up', async () => {
    const bench = await BrokerBench.start();
    await many(bench, 51, madeUp);
    const { total } = bench.server.refusedLogins;
    assert.equal(count(await many(bench, 20, () => PUMP), 'cut'), 20);
    assert.equal(bench.server.blockedAddresses[0]?.tries, 21);
    assert.equal(bench.server.refusedLogins.total, total + 20);
    assert.equal(bench.refusedLogins.length, 51, 'they are no events of their own');
    await bench.clock.advance(14_999);
    assert.equal((await many(bench, 1, () => PUMP))[0]?.result, 'cut');
    await bench.clock.advance(1);
    assert.equal((await many(bench, 1, () => PUMP))[0]?.result, 'ok');
    assert.deepEqual(bench.server.blockedAddresses, []);
  });

  it('cuts the connections of a blocked address that were made before', async () => {
    const bench = await BrokerBench.start();
    const early = new RawDevice(bench.memory({ remoteAddress: `${ADDRESS}:1` }), PUMP);
    await many(bench, 51, madeUp);
    early.connect();
    await early.closed;
    assert.deepEqual(early.received, []);
  });

  it('is blocked for twice as long each time, up to 15 minutes', async () => {
    const bench = await BrokerBench.start();
    const lengths: number[] = [];
    for (let i = 0; i < 8; i++) {
      await many(bench, 51, madeUp);
      const [block] = bench.server.blockedAddresses;
      lengths.push((block!.until - block!.since) / 1000);
      await bench.clock.advance(lengths.at(-1)! * 1000);
    }
    assert.deepEqual(lengths, [15, 30, 60, 120, 240, 480, 900, 900]);
    await bench.clock.advance(3_600_000);
    await many(bench, 51, madeUp);
    const [block] = bench.server.blockedAddresses;
    assert.equal(block!.until - block!.since, 15_000, 'an hour later it begins anew');
  });

  it('is let go of by hand', async () => {
    const bench = await BrokerBench.start();
    await many(bench, 51, madeUp);
    assert.equal(bench.server.liftBlock('203.0.113.1'), false);
    assert.equal(bench.server.liftBlock(ADDRESS), true);
    assert.equal(bench.server.liftBlock(ADDRESS), false);
    assert.equal((await many(bench, 1, () => PUMP))[0]?.result, 'ok');
  });

  it('of IPv6 is its network', async () => {
    const bench = await BrokerBench.start();
    for (let i = 0; i < 51; i++) await many(bench, 1, () => madeUp(i), `[2001:db8:1:2::${i.toString(16)}]`);
    assert.equal(bench.server.blockedAddresses[0]?.address, '2001:db8:1:2::');
    assert.equal((await many(bench, 1, () => PUMP, '[2001:db8:1:2:ffff::1]'))[0]?.result, 'cut');
    assert.equal((await many(bench, 1, () => PUMP, '[2001:db8:1:3::1]'))[0]?.result, 'ok');
  });

  it('from which somebody was let in is not blocked: 64 refusals are held back, more are cut', async () => {
    const bench = await BrokerBench.start();
    await many(bench, 1, () => PUMP);
    const tries = await many(bench, 50 + 64 + 10, madeUp);
    assert.deepEqual([count(tries, 'error'), count(tries, undefined), count(tries, 'cut')], [50, 64, 10]);
    assert.deepEqual(bench.server.blockedAddresses, []);
    await bench.clock.advance(5000);
    assert.equal(count(tries, 'error'), 114);
    assert.deepEqual(Object.fromEntries(bench.server.refusedLogins.counts), { credentials: 50, rate: 74 });
    assert.equal(bench.refusedLogins.length, 114, 'those that are cut are only counted');
  });

  it('has the places of held refusals again after 5 s, also of those that did not wait', async () => {
    const bench = await BrokerBench.start();
    await many(bench, 1, () => PUMP);
    await many(bench, 50, madeUp);
    for (const { device } of await many(bench, 64, madeUp)) device.wire.cut();
    await bench.clock.advance(4999);
    const other = (index: number): Partial<RawDeviceOptions> => ({ device: `other-${index}` });
    // Those of the first 5 s take what the bucket has got back.
    const tries = await many(bench, 25, other);
    assert.deepEqual([count(tries, 'error'), count(tries, 'cut')], [24, 1]);
    await bench.clock.advance(1);
    assert.equal(count(await many(bench, 64, other), 'cut'), 0);
  });

  it('gets five tries a second back', async () => {
    const bench = await BrokerBench.start();
    await many(bench, 1, () => PUMP);
    await many(bench, 50, madeUp);
    await bench.clock.advance(2000);
    assert.equal(count(await many(bench, 20, (i) => ({ device: `other-${i}` })), 'error'), 10);
  });

  it('lets any number of devices in at once when their credentials are right', async () => {
    const devices = Array.from({ length: 500 }, (_, i) => ({ ...PUMP, device: `d${i}` }));
    const bench = await BrokerBench.start({ devices });
    const before = bench.clock.now();
    const tries = await many(bench, 500, (index) => ({ device: `d${index}` }));
    assert.equal(count(tries, 'ok'), 500);
    assert.equal(bench.clock.now(), before);
  });
});

describe('brake of logins: checks that take time', () => {
  it('has those wait who would be let in once the others are', async () => {
    const authenticator = new SlowAuthenticator();
    const bench = await BrokerBench.start({ authenticator });
    const tries = await many(bench, 500, madeUp);
    assert.equal(authenticator.checks, 50);
    for (let i = 0; i < 12 && count(tries, 'ok') < 500; i++) {
      authenticator.decide(true);
      await bench.clock.settle();
    }
    assert.equal(count(tries, 'ok'), 500);
    assert.equal(bench.server.refusedLogins.total, 0);
  });

  it('checks no more than 50 of a guesser, however many tries are made at once', async () => {
    const authenticator = new SlowAuthenticator();
    const bench = await BrokerBench.start({ authenticator });
    const tries = await many(bench, 500, madeUp);
    authenticator.decide(false);
    await bench.clock.settle();
    assert.equal(authenticator.checks, 50);
    assert.deepEqual([count(tries, 'error'), count(tries, 'cut')], [50, 450]);
  });

  it('keeps the charge of a try whose connection ends before it is decided', async () => {
    const authenticator = new SlowAuthenticator();
    const bench = await BrokerBench.start({ authenticator, connectTimeoutMs: 100 });
    const [other] = await many(bench, 1, () => PUMP);
    authenticator.decide(true);
    await bench.clock.settle();
    assert.equal(other?.result, 'ok');
    await many(bench, 50, madeUp);
    await bench.clock.advance(100);
    authenticator.decide(true);
    await bench.clock.settle();
    await many(bench, 1, () => ({ device: 'lamp' }));
    assert.equal(authenticator.checks, 51);
    assert.equal(bench.server.refusedLogins.last?.reason, 'rate');
  });

  it('forgets those that wait when their time to log in is up', async () => {
    const authenticator = new SlowAuthenticator();
    const bench = await BrokerBench.start({ authenticator, connectTimeoutMs: 100 });
    const tries = await many(bench, 60, madeUp);
    await bench.clock.advance(100);
    assert.equal(count(tries, 'cut'), 60);
    authenticator.decide(true);
    await bench.clock.settle();
    assert.equal(authenticator.checks, 50);
    assert.equal(bench.server.deviceCount, 0);
  });

  it('does not charge an address whose logins could not be checked', async () => {
    const authenticator = { authenticate: () => Promise.reject(new Error('the directory is away')) };
    const bench = await BrokerBench.start({ authenticator });
    await many(bench, 200, madeUp);
    assert.deepEqual(bench.server.blockedAddresses, []);
    assert.deepEqual(Object.fromEntries(bench.server.refusedLogins.counts), { failed: 200 });
  });
});
