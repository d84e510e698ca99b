import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { LAMP, PUMP } from '../support/broker-fixture';
import type { RawDevice } from '../support/raw-device';
import { message, Type, varintField } from '../support/raw-message';
import {
  answerTo,
  ask,
  BOB,
  captured,
  connectClient,
  DIALECTS,
  gist,
  serviceRun,
  ServicesBench,
} from './support';

const LOCK = 6;
const UNLOCK = 7;

interface Scene {
  bench: ServicesBench;
  pump: RawDevice;
  lamp: RawDevice;
}

async function scene(): Promise<Scene> {
  const bench = await ServicesBench.start();
  return { bench, pump: await bench.broker.device(), lamp: await bench.broker.device(LAMP) };
}

for (const dialect of DIALECTS) {
  describe(`locks, dialect ${dialect}`, () => {
    it('are had by one device at a time, and go to the next that waits', async () => {
      const { bench, pump, lamp } = await scene();
      assert.deepEqual(gist(await ask(pump, dialect, LOCK, 'crane', { lock: 'p' })), [
        'OK',
        undefined,
        { lock: 'p' },
      ]);
      lamp.send(serviceRun(dialect, LOCK, 'crane', { id: 5, payload: { lock: 'l', timeout: 30 } }));
      await lamp.barrier();
      assert.equal(lamp.received.length, 2, 'it waits');
      assert.deepEqual(gist(await ask(pump, dialect, UNLOCK, 'crane', { lock: 'p' })), [
        'OK',
        undefined,
        undefined,
      ]);
      assert.deepEqual(gist(await answerTo(lamp, 5)), ['OK', undefined, { lock: 'l' }]);
      assert.deepEqual(gist(await ask(pump, dialect, LOCK, 'crane', { timeout: 0 })), [
        'ERROR',
        423,
        { error: 'the lock is held by others' },
      ]);
      assert.deepEqual(bench.takeRefusals(), ['lock 423 crane']);
    });

    it('need nothing but a name: the answer says what unlocks', async () => {
      const { pump, bench } = await scene();
      for (const payload of [undefined, null, {}, { lock: '' }, { lock: null, slots: null, timeout: null }]) {
        const { payload: answer } = await ask(pump, dialect, LOCK, 'crane', payload);
        const { lock } = answer as { lock: string };
        assert.match(lock, /^[\w-]{36}$/);
        assert.equal((await ask(pump, dialect, UNLOCK, 'crane', { lock })).type, Type.OK);
        await ask(pump, dialect, LOCK, 'crane', payload);
        assert.equal((await ask(pump, dialect, UNLOCK, 'crane', payload)).type, Type.OK, 'or nothing at all');
      }
      assert.equal(bench.services.locks.size, 0);
    });

    it('are taken and given back without an answer where none is wanted', async () => {
      const { bench, pump } = await scene();
      for (const id of [undefined, 0]) {
        pump.send(serviceRun(dialect, LOCK, 'crane', { id, payload: { lock: 'p' } }));
        await pump.barrier();
        assert.equal(bench.services.locks.size, 1);
        pump.send(serviceRun(dialect, UNLOCK, 'crane', { id, payload: { lock: 'p' } }));
        pump.send(serviceRun(dialect, UNLOCK, 'crane', { id, payload: { lock: 'p' } }));
        await pump.barrier();
        assert.equal(bench.services.locks.size, 0);
      }
      assert.deepEqual(pump.all(Type.ERROR), []);
      assert.deepEqual(bench.takeRefusals(), ['unlock 404 crane', 'unlock 404 crane']);
    });

    it('refuse what is no such request', async () => {
      const { bench, pump } = await scene();
      const names = [null, 5, '', 'a b', 'x'.repeat(65), ['crane'], { name: 'crane' }, true];
      for (const name of names) {
        for (const code of [LOCK, UNLOCK]) {
          // In B such a thing is no name of a service at all.
          if (dialect === 'B' && typeof name !== 'string' && !Array.isArray(name)) continue;
          assert.equal((await ask(pump, dialect, code, name, { lock: 'p' })).parameters, 400);
        }
      }
      for (const payload of [
        5,
        'p',
        true,
        [],
        ['p'],
        Buffer.from('p'),
        { lock: 5 },
        { lock: 'a b' },
        { lock: {} },
      ]) {
        assert.equal((await ask(pump, dialect, LOCK, 'crane', payload)).parameters, 400);
        assert.equal((await ask(pump, dialect, UNLOCK, 'crane', payload)).parameters, 400);
      }
      for (const wish of [
        { slots: 0 },
        { slots: -1 },
        { slots: 1.5 },
        { slots: 65_536 },
        { slots: '2' },
        { slots: true },
      ]) {
        assert.equal((await ask(pump, dialect, LOCK, 'crane', wish)).parameters, 400);
      }
      for (const timeout of [-1, 65_536, NaN, Infinity, '5', true, 2n ** 60n, {}]) {
        assert.equal((await ask(pump, dialect, LOCK, 'crane', { timeout })).parameters, 400);
      }
      assert.equal(bench.services.locks.size, 0);
    });
  });
}

describe('locks', () => {
  it('are understood as real devices ask for them', async () => {
    const { bench, pump, lamp } = await scene();
    const lock = captured('call.lock_sync_full');
    const unlock = captured('call.unlock_sync');
    pump.send(unlock.bytes);
    assert.equal((await answerTo(pump, unlock.id!)).parameters, 404);
    pump.send(lock.bytes);
    assert.deepEqual((await answerTo(pump, lock.id!)).payload, { lock: 'owner-a' });
    // Two more find a slot, the fourth device does not.
    for (const id of ['b', 'c']) {
      assert.equal((await ask(lamp, 'A', LOCK, 'mutex1', { lock: id, slots: 3 })).type, Type.OK);
    }
    assert.equal((await ask(lamp, 'A', LOCK, 'mutex1', { lock: 'd', slots: 3, timeout: 0 })).parameters, 423);
    lamp.send(unlock.bytes);
    assert.equal((await answerTo(lamp, unlock.id!)).parameters, 409, 'of another');
    pump.send(unlock.bytes);
    assert.equal((await answerTo(pump, unlock.id!)).type, Type.OK);
    assert.equal((await ask(lamp, 'A', LOCK, 'mutex1', { lock: 'd', slots: 3, timeout: 0 })).type, Type.OK);
    assert.deepEqual(bench.takeRefusals(), ['unlock 404 mutex1', 'lock 423 mutex1', 'unlock 409 mutex1']);
  });

  it('are waited for as long as the device says, and 5 s where it says nothing', async () => {
    const { bench, pump, lamp } = await scene();
    const { clock } = bench.broker;
    await ask(pump, 'A', LOCK, 'crane');
    lamp.send(serviceRun('A', LOCK, 'crane', { id: 1, payload: { timeout: 120 } }));
    lamp.send(serviceRun('A', LOCK, 'crane', { id: 2, payload: { timeout: 0.5 } }));
    lamp.send(serviceRun('A', LOCK, 'crane', { id: 3 }));
    const waiting = async (): Promise<number> => {
      await pump.barrier();
      await lamp.barrier();
      return 3 - lamp.all(Type.ERROR).length;
    };
    await clock.advance(499);
    assert.equal(await waiting(), 3);
    await clock.advance(1);
    assert.equal(await waiting(), 2);
    await clock.advance(4499);
    assert.equal(await waiting(), 2);
    await clock.advance(1);
    assert.equal(await waiting(), 1);
    // Beyond every other limit of the session; only life must be shown.
    for (let at = 5; at < 119; at += 19) {
      await clock.advance(19_000);
      assert.equal(await waiting(), 1);
    }
    await clock.advance(999);
    assert.equal(await waiting(), 1);
    await clock.advance(1);
    assert.equal(await waiting(), 0);
    assert.deepEqual(bench.takeRefusals(), ['lock 423 crane', 'lock 423 crane', 'lock 423 crane']);
  });

  describe('are free again when the connection of their holder ends:', () => {
    const ends: [string, (device: RawDevice, bench: ServicesBench) => unknown][] = [
      ['cut', (device) => device.wire.cut()],
      ['DISCONNECT', (device) => device.send(message(Type.DISCONNECT, varintField(1, 3)))],
      ['take-over', (_, { broker }) => broker.device()],
      ['silence', async (_, { broker }) => broker.clock.advance(60_000)],
    ];
    for (const [how, end] of ends) {
      it(`by ${how}`, async () => {
        const { bench, pump, lamp } = await scene();
        await ask(pump, 'A', LOCK, 'crane', { lock: 'p' });
        await ask(pump, 'A', LOCK, 'gate', { lock: 'p' });
        lamp.send(serviceRun('A', LOCK, 'crane', { id: 5, payload: { lock: 'l', timeout: 600 } }));
        await bench.broker.clock.advance(59_000);
        await lamp.barrier();
        assert.deepEqual(lamp.all(Type.ERROR), []);
        await end(pump, bench);
        assert.deepEqual((await answerTo(lamp, 5)).payload, { lock: 'l' });
        assert.equal(bench.services.locks.size, 1);
        const again = await bench.broker.device();
        assert.equal((await ask(again, 'A', UNLOCK, 'crane', { lock: 'p' })).parameters, 404);
        assert.equal((await ask(again, 'A', UNLOCK, 'crane')).parameters, 409);
      });
    }
  });

  it('are not had by one who is gone when its turn comes', async () => {
    const { bench, pump, lamp } = await scene();
    await ask(pump, 'A', LOCK, 'crane');
    lamp.send(serviceRun('A', LOCK, 'crane', { id: 9158, payload: { timeout: 600 } }));
    await lamp.barrier();
    lamp.wire.cut();
    await lamp.closed;
    const again = await bench.broker.device(LAMP);
    assert.equal((await ask(pump, 'A', UNLOCK, 'crane')).type, Type.OK);
    await again.barrier();
    assert.equal(again.received.length, 2, 'nothing for the old request');
    assert.equal(bench.services.locks.size, 0);
    assert.deepEqual(bench.takeRefusals(), [], 'who is gone was refused nothing');
  });

  it('that are waited for keep nothing else from the device, and many of them do not either', async () => {
    const { bench, pump, lamp } = await scene();
    await ask(pump, 'A', LOCK, 'crane', { lock: 'p' });
    for (let i = 1; i <= 300; i++) {
      lamp.send(serviceRun('A', LOCK, 'crane', { id: i, payload: { lock: `${i}`, timeout: 600 } }));
    }
    await lamp.barrier();
    assert.equal(lamp.all(Type.ERROR).length, 300 - 64);
    assert.ok(lamp.all(Type.ERROR).every(({ parameters }) => parameters === 503));
    lamp.resources.set('level', { fn: 3, run: () => 7 });
    pump.resources.set('level', { fn: 3, run: () => 8 });
    assert.equal((await bench.broker.server.call(LAMP, 'level')).payload, 7);
    lamp.send(serviceRun('A', 3, ['pump', 'level'], { id: 400 }));
    assert.deepEqual((await lamp.next(Type.OK)).payload, 8);
    lamp.send(serviceRun('A', LOCK, 'gate', { id: 401 }));
    await lamp.barrier();
    assert.equal(lamp.all(Type.ERROR).find(({ id }) => id === 401)?.parameters, 503, 'it has enough');
    assert.equal((await ask(pump, 'A', LOCK, 'gate')).type, Type.OK, 'others may');
  });

  it('belong to a user: the same name of another is another lock', async () => {
    const { bench, pump } = await scene();
    const bob = await bench.broker.device(BOB);
    assert.equal((await ask(pump, 'A', LOCK, 'crane', { timeout: 0 })).type, Type.OK);
    assert.equal((await ask(bob, 'A', LOCK, 'crane', { timeout: 0 })).type, Type.OK);
    assert.equal(bench.services.locks.size, 2);
  });

  it('end with their service: those who wait are told', async () => {
    const { bench, pump, lamp } = await scene();
    await ask(pump, 'A', LOCK, 'crane');
    lamp.send(serviceRun('A', LOCK, 'crane', { id: 5, payload: { timeout: 600 } }));
    await lamp.barrier();
    bench.services.close();
    assert.equal((await answerTo(lamp, 5)).parameters, 503);
    assert.equal(bench.services.locks.size, 0);
  });
});

describe('locks of clients', () => {
  it('exclude each other, and are waited for', async () => {
    const bench = await ServicesBench.start();
    const pump = await connectClient(bench.broker, PUMP);
    const lamp = await connectClient(bench.broker, LAMP);
    assert.deepEqual(await pump.lock('crane', { lock: 'p' }), { lock: 'p' });
    const waits = lamp.lock('crane', { timeoutS: 60 });
    await bench.broker.clock.advance(30_000);
    await assert.rejects(pump.lock('crane', { lock: 'other', timeoutS: 0 }), { statusCode: 423 });
    await pump.unlock('crane', { lock: 'p' });
    const { lock } = (await waits) as { lock: string };
    await assert.rejects(pump.unlock('crane', { lock: 'p' }), { statusCode: 404 });
    await lamp.unlock('crane', { lock });
    assert.equal(bench.services.locks.size, 0);
  });
});
