import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { GatewayBench } from '../support/gateway-bench';
import { NodeRedClient } from '../support/node-red-client';

interface EventRow {
  readonly event: string;
  readonly role?: string;
  readonly filters: { readonly field: string; readonly hints?: string[] }[];
}

/** What the dialogs of the pack ask through its own routes (`platform-api.md` section 8.1). */
describe('the editor of the Node-RED pack', () => {
  it('gets the lists of the server with a token that is none', async () => {
    const bench = await GatewayBench.start();
    const client = new NodeRedClient(bench);
    client.token = 'undefined';
    const assets = (await client.get('/v1/server/assets')).payload as { asset: string; role: string }[];
    assert.ok(assets.every(({ asset, role }) => asset !== '' && ['user', 'admin'].includes(role)));
    assert.ok(Array.isArray((await client.get('/v1/server/events')).payload));
  });

  it('finds the asset of each event in its first filter, and hints in lists', async () => {
    const bench = await GatewayBench.start();
    const client = new NodeRedClient(bench);
    const events = (await client.get('/v1/server/events')).payload as EventRow[];
    for (const { event, filters } of events) {
      assert.equal(typeof filters[0]?.field, 'string', event);
      for (const { hints } of filters) assert.ok(hints === undefined || Array.isArray(hints), event);
    }
    const state = events.find(({ event }) => event === 'device_state_change')?.filters;
    assert.equal(state?.[0]?.field, 'device');
    assert.ok(state.find(({ field }) => field === 'state')?.hints?.includes('disconnected'));
  });

  it('fills its lists, whatever stands in the query', async () => {
    const bench = await GatewayBench.start();
    const client = new NodeRedClient(bench);
    await client.request('POST', '/v1/users/anna/buckets', { bucket: 'log' });
    await client.request('POST', '/v1/users/anna/endpoints', { endpoint: 'mail', type: 'flow' });
    const queries = [
      '',
      '?',
      '?project=&name=',
      '?name=&project=',
      '?name=}',
      '?name=&',
      '?name=undefined&name=',
    ];
    for (const asset of ['devices', 'buckets', 'endpoints']) {
      for (const query of queries) {
        const { status, payload } = await client.get(`/v1/users/anna/${asset}${query}`);
        assert.equal(status, 200, `${asset}${query}`);
        assert.ok((payload as unknown[]).length > 0, `${asset}${query}`);
      }
    }
  });

  it('finds in every row what it shows', async () => {
    const bench = await GatewayBench.start();
    const client = new NodeRedClient(bench);
    await client.request('POST', '/v1/users/anna/devices', { type: 'HTTP', device: 'hook' });
    await client.request('POST', '/v1/users/anna/buckets', { bucket: 'plain' });
    await client.request('POST', '/v1/users/anna/buckets', { bucket: 'tagged', tags: ['room'] });
    bench.services.endpoints.host('alert', () => undefined);
    const rowsOf = async <T>(asset: string): Promise<T[]> =>
      (await client.get(`/v1/users/anna/${asset}?name=`)).payload as T[];
    for (const row of await rowsOf<{ device: string; name: string; connection: unknown; type: string }>(
      'devices',
    )) {
      assert.equal(typeof row.device, 'string');
      assert.equal(typeof row.type, 'string');
      assert.equal(typeof (row.connection as { active: unknown }).active, 'boolean');
    }
    const buckets = await rowsOf<{ bucket: string; enabled: boolean; config: { tags?: string[] } }>(
      'buckets',
    );
    assert.deepEqual(
      buckets.map(({ bucket, enabled, config }) => [bucket, enabled, config.tags]),
      [
        ['plain', true, undefined],
        ['tagged', true, ['room']],
      ],
    );
    const [endpoint] = await rowsOf<{ endpoint: string; enabled: boolean }>('endpoints');
    assert.deepEqual([endpoint?.endpoint, endpoint?.enabled], ['alert', true]);
  });

  it('gets properties, resources and values of tags', async () => {
    const bench = await GatewayBench.start();
    const client = new NodeRedClient(bench);
    const pump = '/v3/users/anna/devices/pump';
    assert.equal((await client.get(`${pump}/resources/api?`)).status, 404, 'while it is away');
    await bench.device({ temp: { fn: 3, run: () => 1 }, led: { fn: 2, run: () => undefined } });
    for (const path of ['resources?', 'resources/api?', 'resources/api?name=']) {
      assert.deepEqual((await client.get(`${pump}/${path}`)).payload, { temp: { fn: 3 }, led: { fn: 2 } });
    }
    await client.request('POST', `${pump}/properties`, { property: 'limit', value: { high: 5 } });
    const [property] = (await client.get(`${pump}/properties?`)).payload as Record<string, unknown>[];
    assert.deepEqual([property?.property, property?.value], ['limit', { high: 5 }]);
    const log = '/v1/users/anna/buckets/log';
    await client.request('POST', '/v1/users/anna/buckets', { bucket: 'log', config: { tags: ['room'] } });
    await client.request('POST', `${log}/data`, [
      { ts: Date.UTC(2026, 0, 5), room: 'hall' },
      { ts: Date.UTC(2026, 0, 6), room: 'attic' },
    ]);
    assert.deepEqual((await client.get(`${log}/tags/room?`)).payload, ['attic', 'hall']);
    assert.deepEqual((await client.get(`${log}/tags?`)).payload, ['room']);
  });

  it('learns the role of its user', async () => {
    const bench = await GatewayBench.start();
    const client = new NodeRedClient(bench);
    assert.equal(((await client.get('/v1/users/anna')).payload as { role: string }).role, 'user');
    client.token = await bench.tokenOf('root');
    assert.equal(((await client.get('/v1/users/root')).payload as { role: string }).role, 'admin');
  });

  it('is answered with JSON for assets that are not served', async () => {
    const bench = await GatewayBench.start();
    const client = new NodeRedClient(bench);
    for (const path of ['alarms/rules?project=&name=}', 'dashboards?', 'buckets/log/tagsroom?']) {
      const answer = await bench.get(`/v1/users/anna/${path}`);
      assert.match(answer.type ?? '', /^application\/json/, path);
      assert.equal((await client.get(`/v1/users/anna/${path}`)).error, 'not found');
    }
  });
});
