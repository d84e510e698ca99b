import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { AuditLog } from '../../../src/services/audit-log';
import { isAudited } from '../../../src/gateway/audit/audited-route';
import { allRoutes, SOCKET_ROUTES } from '../../../src/gateway/routes/all-routes';
import { openStore } from '../../../src/store/open-store';
import type { Store } from '../../../src/store/store';
import { cleanUp } from '../../support/clean-up';
import { FakeClock } from '../support/fake-clock';
import { GatewayBench } from './support/gateway-bench';

/** Actions that change something and are not kept: those on data. A new one has to be named here. */
const NOT_KEPT: readonly string[] = [
  'CallDeviceCallback',
  'CallEndpoint',
  'CloneDeviceProperty',
  'CloneGroupProperty',
  'CloneProductProperty',
  'CloneProjectProperty',
  'CloneProperty',
  'CloneTypeProperty',
  'DeleteDeviceProperty',
  'DeleteGroupProperty',
  'DeleteProductProperty',
  'DeleteProjectProperty',
  'DeleteProperty',
  'DeleteTypeProperty',
  'ExportBucket',
  'SetDeviceProperty',
  'SetGroupProperty',
  'SetProductProperty',
  'SetProjectProperty',
  'SetProperty',
  'SetTypeProperty',
  'WriteBucket',
];

interface Entry {
  readonly [member: string]: unknown;
  readonly ts: number;
}

async function entries(bench: GatewayBench, query = ''): Promise<{ entries: Entry[]; cursor?: string }> {
  const { status, body } = await bench.get(`/v1/server/audit${query}`, {
    token: await bench.tokenOf('root'),
  });
  assert.equal(status, 200);
  return body as { entries: Entry[]; cursor?: string };
}

describe('the audit log', () => {
  it('is kept of every route that changes something, but for those on data', () => {
    const changing = allRoutes([], SOCKET_ROUTES).filter(
      ({ method, acts }) => method !== 'GET' || acts === true,
    );
    const left = changing.filter((route) => !isAudited(route, { resource: '$terminal/1' }));
    assert.deepEqual([...new Set(left.map(({ action }) => action))].sort(), NOT_KEPT);
  });

  it('has one entry of each change, with who did it to what, and no secret', async () => {
    const bench = await GatewayBench.start();
    const secret = 'a very secret text';
    await bench.post('/v1/users/anna/devices', { device: 'valve', credentials: secret });
    await bench.ask('PUT', '/v1/users/anna/devices/valve', {
      body: { credentials: `${secret} 2` },
    });
    await bench.post('/v1/users/anna/tokens', { token: 'app', allow: {} });
    await bench.ask('DELETE', '/v1/users/anna/tokens/app');
    await bench.ask('PUT', '/v1/users/anna', { body: { password: secret } });
    await bench.ask('DELETE', '/v1/users/anna/devices/valve');
    const { entries: found } = await entries(bench);
    const told = found
      .reverse()
      .map(({ actor, by, token, action, target, status }) => [actor, by, token, action, target, status]);
    const did = (action: string, target: string): unknown[] => ['api', 'anna', 'all', action, target, 200];
    assert.deepEqual(told, [
      did('CreateDevice', 'anna/valve'),
      did('UpdateDevice', 'anna/valve'),
      did('CreateToken', 'anna/app'),
      did('DeleteToken', 'anna/app'),
      did('UpdateUser', 'anna'),
      did('DeleteDevice', 'anna/valve'),
    ]);
    assert.ok(!JSON.stringify(found).includes(secret));
    assert.ok(!JSON.stringify(found).includes(bench.token));
    assert.deepEqual(new Set(found.map(({ address }) => address)), new Set(['127.0.0.1']));
  });

  it('has nothing of what is read, asked wrongly or written as data', async () => {
    const bench = await GatewayBench.start();
    await bench.get('/v1/users/anna/devices');
    await bench.post('/v1/users/anna/devices', { device: '' });
    await bench.ask('DELETE', '/v1/users/anna/devices/none');
    await bench.post('/v1/users/anna/properties', { property: 'x', value: 1 });
    assert.deepEqual((await entries(bench)).entries, []);
  });

  it('has what was forbidden, at most ten in a minute of one actor', async () => {
    const bench = await GatewayBench.start();
    for (let i = 0; i < 15; i++) assert.equal((await bench.post('/v1/server/backup', undefined)).status, 403);
    const { entries: found } = await entries(bench);
    assert.equal(found.length, 10);
    assert.deepEqual(
      new Set(found.map(({ action, status }) => `${String(action)} ${String(status)}`)),
      new Set(['CreateServerBackup 403']),
    );
  });

  it('has each conversation with a device that was opened over a WebSocket, and each that was forbidden', async () => {
    const bench = await GatewayBench.start();
    await bench.device({ $terminal: { fn: 4, run: () => 'hello' } });
    await bench.socket('/v3/users/anna/devices/pump/resources/$terminal?cols=80');
    await assert.rejects(bench.socket('/v3/users/bert/devices/pump/resources/cmd'));
    const { entries: found } = await entries(bench);
    assert.deepEqual(
      found.map(({ by, action, target, status }) => [by, action, target, status]),
      [
        ['anna', 'OpenDeviceConversation', 'bert/pump/cmd', 403],
        ['anna', 'OpenDeviceConversation', 'anna/pump/$terminal', 101],
      ],
    );
    assert.ok(!JSON.stringify(found).includes(bench.token));
  });

  it('is read in pages, the newest first, by user, action and time', async () => {
    const store = await openStore({ memory: true });
    cleanUp(() => store.close());
    const log = new AuditLog({ store, events: { publish: () => undefined }, warn: () => undefined });
    const bench = await GatewayBench.start({ audit: log });
    const entry = { actor: 'api', target: 'x', status: 200 } as const;
    for (let i = 0; i < 5; i++)
      await log.record({ ...entry, by: i % 2 === 0 ? 'anna' : 'bert', action: `A${i}` });
    const first = await entries(bench, '?limit=2');
    assert.deepEqual(
      first.entries.map(({ action }) => action),
      ['A4', 'A3'],
    );
    const second = await entries(bench, `?limit=2&cursor=${encodeURIComponent(first.cursor ?? '')}`);
    assert.deepEqual(
      second.entries.map(({ action }) => action),
      ['A2', 'A1'],
    );
    const berts = await entries(bench, '?user=bert');
    assert.deepEqual(
      berts.entries.map(({ action }) => action),
      ['A3', 'A1'],
    );
    assert.deepEqual((await entries(bench, '?action=A2')).entries.length, 1);
    const [newest] = first.entries;
    assert.equal((await entries(bench, `?min_ts=${String(newest?.ts)}`)).entries.length, 1);
    assert.equal((await bench.get('/v1/server/audit')).status, 403, 'for administrators only');
  });

  it('says once that it has a gap, and counts, where the store fails', async () => {
    const warnings: string[] = [];
    const store = await openStore({ memory: true });
    cleanUp(() => store.close());
    let isBroken = true;
    const { buckets } = store;
    const write: typeof buckets.write = (...args) =>
      isBroken ? Promise.reject(new Error('no space')) : buckets.write(...args);
    const failing: Store = {
      ...store,
      fault: undefined,
      damagedRecords: 0,
      buckets: new Proxy(buckets, {
        get: (target, name) => {
          const member: unknown = Reflect.get(target, name);
          if (name === 'write') return write;
          return typeof member === 'function' ? (member.bind(target) as unknown) : member;
        },
      }),
    };
    const log = new AuditLog({
      store: failing,
      events: { publish: () => undefined },
      warn: (text) => warnings.push(text),
      clock: new FakeClock(),
    });
    const entry = { actor: 'server', by: '', action: 'A', target: '', status: 200 } as const;
    await log.record(entry);
    await log.record(entry);
    assert.deepEqual([warnings, log.gaps], [['the audit log has a gap: no space'], 2]);
    const bench = await GatewayBench.start({ audit: log });
    assert.match(bench.metric('iotmp_audit_gaps_total'), / 2$/m);
    isBroken = false;
    await log.record(entry);
    assert.equal((await log.read({})).rows.length, 1);
    isBroken = true;
    await log.record(entry);
    assert.equal(warnings.length, 2);
  });
});
