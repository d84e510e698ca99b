import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { GatewayBench, type Answer } from '../support/gateway-bench';

/** The headers of its requests: JSON is wanted, and a body is JSON (`platform-api.md` section 8.2). */
const HEADERS = { Accept: 'application/json' };
const BUCKET = '/v1/users/anna/buckets/log/data';

interface EventRow {
  readonly event: string;
  readonly filters: { readonly field: string; readonly hints?: string[] }[];
}

/** A request of a node, which fails for every status but a success. */
async function ask(bench: GatewayBench, path: string): Promise<unknown> {
  const answer = await bench.get(path, { headers: HEADERS });
  assert.equal(answer.status, 200, path);
  return answer.body;
}

/** All pages of a list, a hundred rows each; a listing that does not end fails. */
async function allItems(bench: GatewayBench, path: string): Promise<unknown[]> {
  const rows: unknown[] = [];
  for (;;) {
    assert.ok(rows.length < 5000, 'the paging does not end');
    const mark = path.includes('?') ? '&' : '?';
    const page = (await ask(bench, `${path}${mark}count=100&index=${rows.length}`)) as unknown[];
    rows.push(...page);
    if (page.length !== 100) return rows;
  }
}

/** Where its nodes look for an asset: by its name, not by the path that the server gives. */
function pathOf(asset: string): string {
  const plain = ['brand', 'domain', 'host', 'oauth_client', 'user'];
  if (plain.includes(asset)) return `/v1/${asset}s`;
  if (asset === 'property') return '/v1/users/anna/properties';
  return asset === 'proxy' ? '/v1/proxies' : `/v1/users/anna/${asset}s`;
}

describe('requests of the n8n nodes', () => {
  it('check the credential with the list of users', async () => {
    const bench = await GatewayBench.start();
    assert.ok(Array.isArray(await ask(bench, '/v1/users')));
    const [, claims = ''] = bench.token.split('.');
    assert.equal((JSON.parse(Buffer.from(claims, 'base64').toString()) as { usr: string }).usr, 'anna');
    const refused = await bench.get('/v1/users', { token: 'wrong', headers: HEADERS });
    assert.equal(refused.status, 401);
  });

  it('search every asset that is listed, and find its id in each row', async () => {
    const bench = await GatewayBench.start();
    await bench.post('/v1/users/anna/buckets', { bucket: 'log' });
    await bench.post('/v1/users/anna/endpoints', { endpoint: 'mail' });
    const assets = (await ask(bench, '/v1/server/assets')) as { asset: string }[];
    for (const { asset } of assets) {
      for (const path of [`${pathOf(asset)}?name=`, pathOf(asset)]) {
        for (const row of (await ask(bench, path)) as Record<string, unknown>[]) {
          assert.equal(typeof row[asset], 'string', path);
        }
      }
    }
  });

  it('get one asset by its id', async () => {
    const bench = await GatewayBench.start();
    await bench.post('/v1/users/anna/buckets', { bucket: 'log' });
    await bench.post('/v1/users/anna/properties', { property: 'p', value: 1 });
    const found: [string, string][] = [
      ['device', 'lamp'],
      ['bucket', 'log'],
      ['token', 'all'],
      ['property', 'p'],
      ['user', 'anna'],
    ];
    for (const [asset, id] of found) {
      assert.equal(((await ask(bench, `${pathOf(asset)}/${id}`)) as Record<string, unknown>)[asset], id);
    }
    assert.equal((await bench.get('/v1/users/anna/devices/nobody', { headers: HEADERS })).status, 404);
    assert.deepEqual(await ask(bench, '/v1/proxies?count=100&index=0'), []);
  });

  it('get many in pages of a hundred, by id or name', async () => {
    const bench = await GatewayBench.start({ limits: { requestsPerSecond: 1000, requestBurst: 2000 } });
    for (let index = 0; index < 198; index++) {
      await bench.post('/v1/users/anna/devices', {
        type: 'HTTP',
        device: `d${index}`,
        name: `Name ${index}`,
      });
    }
    assert.equal((await allItems(bench, '/v1/users/anna/devices')).length, 200);
    assert.equal((await allItems(bench, '/v1/users/anna/devices?name=Name')).length, 198);
  });

  it('offer the events of an asset with their filters', async () => {
    const bench = await GatewayBench.start();
    const events = (await ask(bench, '/v1/server/events')) as EventRow[];
    const ofDevices = events.filter(({ event }) => event.startsWith('device'));
    assert.ok(ofDevices.length > 5);
    for (const { filters } of events) {
      for (const { field, hints = [] } of filters) {
        assert.equal(typeof field, 'string');
        assert.ok(hints.every((hint) => typeof hint === 'string'));
      }
    }
  });

  it('listen to events with the token in the header, every field as a text', async () => {
    const bench = await GatewayBench.start();
    const headers = { Authorization: `Bearer ${bench.token}` };
    const socket = await bench.socket('/v1/users/anna/events', { token: null, headers });
    socket.send({ device: 'pump', state: 'connected', event: 'device_state_change' });
    await socket.synced();
    await bench.device();
    await bench.until(() => socket.frames.length === 1);
    assert.equal(socket.messages[0]?.device, 'pump');
  });

  it('write to a device, and get what it gives as JSON', async () => {
    const bench = await GatewayBench.start();
    await bench.device({
      led: { fn: 4, run: (input) => input },
      photo: { fn: 4, run: () => Buffer.from([1, 2]) },
      set: { fn: 2, run: () => undefined },
    });
    const write = (resource: string, body: unknown): Promise<Answer> =>
      bench.post(`/v3/users/anna/devices/pump/resources/${resource}`, body, { headers: HEADERS });
    assert.deepEqual((await write('led', { value: 1 })).body, { value: 1 });
    assert.deepEqual((await write('photo', { value: 1 })).body, { bytes: [1, 2] });
    const empty = await write('set', { value: 1 });
    assert.deepEqual([empty.status, empty.bytes.length], [200, 0]);
    assert.equal((await write('other', { value: 1 })).status, 404);
  });
});

describe('bucket reads of the n8n nodes', () => {
  /** Reads as the node does: pages in pages, until a thousand did not come back. */
  async function readAll(bench: GatewayBench, sort: 'asc' | 'desc', limit: number): Promise<number[]> {
    const values: number[] = [];
    let bound = '';
    for (let left = limit; ;) {
      assert.ok(values.length < 10_000, 'the reading does not end');
      const items = left > 1000 || left < 0 ? 1000 : left;
      const query = `items=${items}&agg=&agg_type=&transform=&sort=${sort}${bound}`;
      const rows = (await allItems(bench, `${BUCKET}?${query}`)) as { ts: number; val: { n: number } }[];
      values.push(...rows.map(({ val }) => val.n));
      left = rows.length > 0 ? left - rows.length : 0;
      if (left === 0 || rows.length !== 1000) return values;
      bound = `&${sort === 'asc' ? 'min_ts' : 'max_ts'}=${rows[999]!.ts - 1}`;
    }
  }

  it('end, and give as many rows as were wanted', async () => {
    const bench = await GatewayBench.start();
    await bench.post('/v1/users/anna/buckets', { bucket: 'log', config: { source: 'api' } });
    const rows = Array.from({ length: 1200 }, (_, index) => ({ ts: Date.UTC(2026, 0, 5) + index, n: index }));
    for (let at = 0; at < rows.length; at += 600) await bench.post(BUCKET, rows.slice(at, at + 600));
    assert.equal((await readAll(bench, 'desc', 100)).length, 100);
    assert.equal((await readAll(bench, 'desc', 250)).length, 250);
    assert.equal((await readAll(bench, 'desc', 1000)).length, 1000);
    assert.equal(new Set(await readAll(bench, 'desc', -1)).size, 1200);
    assert.equal(new Set(await readAll(bench, 'asc', -1)).size, 1200);
  });

  it('take every aggregation and transformation that can be chosen', async () => {
    const bench = await GatewayBench.start();
    await bench.post('/v1/users/anna/buckets', { bucket: 'log', config: { source: 'api' } });
    await bench.post(BUCKET, [
      { ts: Date.UTC(2026, 0, 5), n: 1 },
      { ts: Date.UTC(2026, 0, 5) + 1000, n: -3 },
    ]);
    const window = 'items=100&sort=asc&max_ts=1800000000000&min_ts=1&count=100&index=0';
    for (const span of [
      '5min',
      '15min',
      '30min',
      '1h',
      '3h',
      '6h',
      '12h',
      '1d',
      '1w',
      '1mo',
      '3mo',
      '6mo',
      '1y',
    ]) {
      await ask(bench, `${BUCKET}?agg=${span}&agg_type=mean&transform=&${window}`);
    }
    const transforms = [
      'abs',
      'ceil',
      'cummulative_sum',
      'derivative',
      'difference',
      'elapsed',
      'floor',
      'round',
    ];
    for (const transform of [...transforms, 'non_negative_derivative', 'non_negative_difference']) {
      await ask(bench, `${BUCKET}?agg=&agg_type=&transform=${transform}&${window}`);
    }
    const sums = await ask(bench, `${BUCKET}?agg=&agg_type=&transform=cummulative_sum&${window}`);
    assert.deepEqual(
      (sums as { val: { n: number } }[]).map(({ val }) => val.n),
      [1, -2],
    );
    const refused = await bench.get(`${BUCKET}?items=10&max_ts=NaN&min_ts=NaN`, { headers: HEADERS });
    assert.equal(refused.status, 400, 'no date was given');
  });
});
