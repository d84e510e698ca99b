import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { BrokerBench, LAMP, PUMP } from '../../support/broker-fixture';
import { guess, guessUntilBlocked } from '../../support/guesses';
import { RawDevice } from '../../support/raw-device';
import { tcpWire } from '../../support/raw-wire';

const STRANGER = '127.0.0.9';

/** A device that is let in over TCP from an address of this machine. */
async function login(bench: BrokerBench, device: object, address: string): Promise<RawDevice> {
  return RawDevice.login(bench.track(await tcpWire(bench.port(), '127.0.0.1', address)), device);
}

describe('a blocked address, over sockets', () => {
  it('is cut unread, while a good device gets in from another', async () => {
    const bench = await BrokerBench.start({ host: '127.0.0.1', tcpPort: 0 });
    assert.equal(await guessUntilBlocked(bench.port(), STRANGER), 50);
    assert.deepEqual(
      bench.server.blockedAddresses.map(({ address, tries }) => ({ address, tries })),
      [{ address: STRANGER, tries: 1 }],
    );
    assert.ok(
      bench.refusalLines.includes(`address blocked for 15 s: address=${STRANGER} tries=1`),
      bench.refusalLines.join('\n'),
    );

    const lamp = await login(bench, LAMP, '127.0.0.1');
    lamp.resources.set('level', { fn: 3, run: () => 7 });
    const checked = bench.server.refusedLogins.counts.get('credentials');
    assert.equal(await guess(bench.port(), STRANGER, 'another'), 'cut');
    const rightOne = new RawDevice(bench.track(await tcpWire(bench.port(), '127.0.0.1', STRANGER)), PUMP);
    rightOne.connect();
    await rightOne.serverEnded;
    assert.equal(rightOne.received.length, 0, 'not even the right credential is read');
    assert.equal(bench.server.refusedLogins.counts.get('credentials'), checked, 'nothing was checked');
    assert.equal(bench.server.blockedAddresses[0]?.tries, 3);
    assert.equal((await bench.server.call(LAMP, 'level')).payload, 7);
    assert.deepEqual(bench.log.slice(-1), ['connected anna/lamp']);
  });

  it('gets in again when its block is lifted', async () => {
    const bench = await BrokerBench.start({ host: '127.0.0.1', tcpPort: 0 });
    await guessUntilBlocked(bench.port(), STRANGER);
    assert.equal(await guess(bench.port(), STRANGER, 'another'), 'cut');
    assert.equal(bench.server.liftBlock(STRANGER), true);
    await login(bench, PUMP, STRANGER);
    assert.equal(await guess(bench.port(), STRANGER, 'another'), 'answered', 'it may try again');
    assert.deepEqual(bench.server.blockedAddresses, []);
  });

  it('gets in again when its block has ended', async () => {
    const bench = await BrokerBench.start({ host: '127.0.0.1', tcpPort: 0 });
    await guessUntilBlocked(bench.port(), STRANGER);
    await bench.clock.advance(15_000);
    await login(bench, PUMP, STRANGER);
    assert.deepEqual(bench.server.blockedAddresses, []);
  });
});
