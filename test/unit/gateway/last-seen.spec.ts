import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { LastSeen } from '../../../src/directory/last-seen';
import type { DocumentStore } from '../../../src/store/document-store';
import { openStore } from '../../../src/store/open-store';
import { fakes } from '../../support/fakes';
import { describeStores } from '../store/support/stores';
import { FakeClock } from '../support/fake-clock';
import { GatewayBench } from './support/gateway-bench';

const DEVICES = '/v1/users/anna/devices';

async function seen(bench: GatewayBench, device: string): Promise<{ active: boolean; ts: number }> {
  const row = (await bench.get(`${DEVICES}/${device}`)).body as {
    connection: { active: boolean; ts: number };
  };
  return row.connection;
}

function fail(text: string): void {
  assert.fail(text);
}

/** A gateway that is over, with what it kept. */
async function finished(bench: GatewayBench): Promise<void> {
  await bench.gateway.close();
  await bench.broker.close();
  fakes.clock.tick(3_600_000);
}

describeStores('when devices were last seen', (open) => {
  it('is known after a restart', async () => {
    const store = await open();
    fakes.useFakeTimers({ toFake: ['Date'], now: 1_700_000_000_000 });
    const bench = await GatewayBench.start({ store });
    await bench.post(DEVICES, { device: 'hook', type: 'HTTP' });
    await bench.post('/v3/users/anna/devices/hook/callback/data', 1);
    const lamp = await bench.device({}, { device: 'lamp', credential: 'light' });
    const cameAt = Date.now();
    assert.deepEqual(await seen(bench, 'pump'), { active: false, ts: 0, security: '' });
    fakes.clock.tick(10_000);
    lamp.wire.cut();
    await bench.broker.clock.settle();
    assert.equal((await seen(bench, 'lamp')).ts, cameAt + 10_000, 'when it went');
    await bench.device();
    fakes.clock.tick(10_000);
    await finished(bench);
    const again = await GatewayBench.start({ store });
    assert.deepEqual(
      [await seen(again, 'hook'), await seen(again, 'lamp'), await seen(again, 'pump')].map(({ ts }) => ts),
      [cameAt, cameAt + 10_000, cameAt + 20_000],
    );
    const pump = await again.device();
    assert.deepEqual(await seen(again, 'pump'), { active: true, ts: Date.now(), security: '' });
    pump.wire.cut();
    await again.gateway.close();
  });

  it('goes with the device', async () => {
    const store = await open();
    const bench = await GatewayBench.start({ store });
    await bench.post(DEVICES, { device: 'valve', credentials: 'turn-turn' });
    const valve = await bench.device({}, { device: 'valve', credential: 'turn-turn' });
    const kept = (): Promise<unknown[]> => store.documents.list({ collection: 'last-seen', user: 'anna' });
    await bench.broker.clock.advance(60_000);
    await bench.gateway.createToken('anna', 'sync', {});
    assert.equal((await kept()).length, 1);
    await bench.ask('DELETE', `${DEVICES}/valve`);
    await valve.serverEnded;
    await bench.gateway.close();
    assert.deepEqual(await kept(), []);
  });
});

describe('what is kept of when devices were seen', () => {
  it('costs few writes, however many devices come and go', async () => {
    const store = await openStore({ memory: true });
    const clock = new FakeClock();
    let writes = 0;
    const documents: DocumentStore = {
      get: (key) => store.documents.get(key),
      merge: (key, patch) => store.documents.merge(key, patch),
      remove: (key) => store.documents.remove(key),
      list: (of, page) => store.documents.list(of, page),
      clear: (of) => store.documents.clear(of),
      scan: (collection) => store.documents.scan(collection),
      put: (key, body, expect) => {
        writes++;
        return store.documents.put(key, body, expect);
      },
    };
    const port = {
      documents: Promise.resolve(documents),
      clock,
      isKept: ({ user }: { user: string }) => user === 'anna',
      onWarning: fail,
    };
    const lastSeen = new LastSeen(port);
    for (let round = 0; round < 5; round++) {
      for (let index = 0; index < 10_000; index++) lastSeen.saw({ user: 'anna', device: `device-${index}` });
      lastSeen.saw({ user: 'stranger', device: `made up ${round}` });
    }
    assert.equal(writes, 0);
    await clock.advance(60_000);
    await lastSeen.settled();
    assert.equal(writes, 128);
    assert.equal(clock.pending, 0);
    const again = new LastSeen(port);
    assert.deepEqual(await again.load(), []);
    for (const index of [0, 4711, 9999]) {
      assert.ok(again.get({ user: 'anna', device: `device-${index}` }) > 0, String(index));
    }
    assert.equal(again.get({ user: 'stranger', device: 'made up 1' }), 0);
    await store.close();
  });

  it('is bounded, and the oldest give way', async () => {
    const store = await openStore({ memory: true });
    const documents = Promise.resolve(store.documents);
    const clock = new FakeClock();
    const lastSeen = new LastSeen({ documents, clock, isKept: () => true, onWarning: fail });
    const device = (index: number): { user: string; device: string } => ({
      user: 'anna',
      device: `d${index}`,
    });
    for (let index = 0; index < 60_000; index++) lastSeen.saw(device(index));
    assert.equal(lastSeen.get(device(0)), 0);
    assert.ok(lastSeen.get(device(59_999)) > 0);
    await lastSeen.settled();
    const kept = await store.documents.list({ collection: 'last-seen' }, { limit: 1000 });
    assert.deepEqual([...new Set(kept.map(({ body }) => Object.keys(body).length))], [200]);
    await store.close();
  });

  it('that cannot be written is told once, and tried again', async () => {
    const store = await openStore({ memory: true });
    const clock = new FakeClock();
    let isBroken = true;
    const documents: DocumentStore = Object.assign(Object.create(store.documents) as DocumentStore, {
      put: (...args: Parameters<DocumentStore['put']>) =>
        isBroken ? Promise.reject(new Error('the disk is full')) : store.documents.put(...args),
    });
    const warnings: string[] = [];
    const lastSeen = new LastSeen({
      documents: Promise.resolve(documents),
      clock,
      isKept: () => true,
      onWarning: (text) => warnings.push(text),
    });
    lastSeen.saw({ user: 'anna', device: 'pump' });
    await clock.advance(60_000);
    lastSeen.saw({ user: 'anna', device: 'lamp' });
    await clock.advance(60_000);
    assert.deepEqual(warnings, ['when devices were seen is not kept: the disk is full']);
    isBroken = false;
    lastSeen.saw({ user: 'anna', device: 'lamp' });
    await lastSeen.settled();
    const kept = await store.documents.list({ collection: 'last-seen' });
    assert.deepEqual(kept.flatMap(({ body }) => Object.keys(body)).sort(), ['lamp', 'pump']);
    await store.documents.put({ collection: 'last-seen', user: 'anna', id: '7' }, { pump: 'yesterday' });
    const again = new LastSeen({
      documents: Promise.resolve(store.documents),
      clock,
      isKept: () => true,
      onWarning: fail,
    });
    assert.deepEqual(await again.load(), ['last-seen anna/7']);
    await store.close();
  });
});
