import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { GatewayBench } from '../support/gateway-bench';
import { NodeRedClient, type NodeRedError } from '../support/node-red-client';

/** Some day: rows of long ago are refused. */
const DAY = Date.UTC(2026, 0, 5);

const BUCKETS = '/v1/users/anna/buckets';
const DATA = `${BUCKETS}/log/data`;

interface DataRow {
  readonly ts: number;
  readonly val: Record<string, unknown>;
}

/** Reads rows as bucket-read does: a thousand at a time, and on from the last time; what does not end fails. */
async function readAll(client: NodeRedClient, sort: 'asc' | 'desc', limit = -1): Promise<DataRow[]> {
  const rows: DataRow[] = [];
  let bound = '';
  for (let left = limit; ;) {
    assert.ok(rows.length < 20_000, 'the reading does not end');
    const items = left > 1000 || left < 0 ? 1000 : left;
    const { payload } = await client.get(`${DATA}?items=${items}&sort=${sort}&tz=Europe/Madrid&${bound}`);
    const page = payload as DataRow[];
    rows.push(...page);
    left = page.length > 0 ? left - page.length : 0;
    if (left === 0 || page.length !== 1000) return rows;
    bound = `${sort === 'asc' ? 'min_ts' : 'max_ts'}=${page[999]!.ts - 1}&`;
  }
}

describe('bucket-create', () => {
  const data = {
    bucket: 'new1',
    name: 'New',
    description: '',
    enabled: true,
    asset_type: 'a',
    asset_group: 'g',
    product: 'p',
    config: { source: 'api', tags: ['room', 'floor'] },
  };

  it('asks, makes, changes, and sets projects', async () => {
    const bench = await GatewayBench.start();
    const client = new NodeRedClient(bench);
    assert.equal((await client.get(`${BUCKETS}/new1`)).status, 404);
    const made = await client.request('POST', BUCKETS, data);
    assert.deepEqual((made.payload as typeof data).config, data.config);
    const { bucket: _, ...change } = data;
    const changed = await client.request('PUT', `${BUCKETS}/new1`, { ...change, name: 'Newer' });
    assert.equal((changed.payload as typeof data).name, 'Newer');
    const projects = await client.request('PUT', `${BUCKETS}/new1/projects`, ['anna@green']);
    assert.deepEqual(projects.payload, Buffer.alloc(0));
  });

  it('takes every source that can be chosen', async () => {
    const bench = await GatewayBench.start();
    const client = new NodeRedClient(bench);
    const source = { source: 'device', device: 'pump', resource: 'temp' };
    const configs = [
      { ...source, update: 'interval', interval: 60 },
      { ...source, update: 'events' },
      source,
      { source: 'write' },
      { source: 'mqtt', topic: 'a/b' },
      {},
    ];
    for (const [index, config] of configs.entries()) {
      const made = await client.request('POST', BUCKETS, { bucket: `b${index}`, enabled: true, config });
      assert.equal(made.status, 200);
    }
    const device = await bench.device({ temp: { fn: 3, run: () => 1 } });
    await bench.until(() => device.streams.size > 0);
    const rows = await Promise.all(configs.map((_, index) => client.get(`${BUCKETS}/b${index}`)));
    const updates = rows.map(({ payload }) => (payload as { config: { update?: string } }).config.update);
    assert.deepEqual(updates.slice(0, 3), ['interval', 'events', 'none'], 'what is not said is not sampled');
    await assert.rejects(
      client.request('POST', BUCKETS, { bucket: 'c', config: { ...source, device: '' } }),
      {
        status: 400,
      },
    );
  });
});

describe('bucket-write and bucket-read', () => {
  it('read all rows, up and down, and end', async () => {
    const bench = await GatewayBench.start();
    const client = new NodeRedClient(bench);
    await client.request('POST', BUCKETS, { bucket: 'log', config: { source: 'api' } });
    const rows = Array.from({ length: 2500 }, (_, index) => ({ ts: DAY + index, n: index + 1 }));
    for (let at = 0; at < rows.length; at += 500) {
      await client.request('POST', DATA, rows.slice(at, at + 500));
    }
    const up = await readAll(client, 'asc');
    assert.equal(new Set(up.map(({ val }) => val.n)).size, 2500);
    assert.equal(up.at(-1)?.ts, DAY + 2499);
    const down = await readAll(client, 'desc');
    assert.deepEqual([down.length, down[0]?.ts, down.at(-1)?.ts], [2500, DAY + 2499, DAY]);
    assert.equal((await readAll(client, 'desc', 1500)).length, 1500);
    assert.equal((await readAll(client, 'asc', 10)).length, 10);
  });

  it('write one object, and get it wrapped', async () => {
    const bench = await GatewayBench.start();
    const client = new NodeRedClient(bench);
    await client.request('POST', BUCKETS, { bucket: 'log', config: { source: 'api' } });
    const { payload } = await client.request('POST', DATA, { t: 21.5, ts: DAY });
    assert.deepEqual(payload, Buffer.alloc(0));
    assert.deepEqual((await client.get(`${DATA}?items=1&sort=desc&`)).payload, [
      { ts: DAY, val: { t: 21.5 } },
    ]);
    assert.deepEqual((await client.get(`${DATA}?`)).payload, [{ ts: DAY, val: { t: 21.5 } }]);
  });

  it('choose by tags as the editor names them', async () => {
    const bench = await GatewayBench.start();
    const client = new NodeRedClient(bench);
    await client.request('POST', BUCKETS, { bucket: 'log', config: { source: 'api', tags: ['room'] } });
    for (const [index, room] of ['attic', 'cellar', 'hall'].entries()) {
      await client.request('POST', DATA, { ts: DAY + index, room, t: index });
    }
    const count = async (query: string): Promise<number> =>
      ((await client.get(`${DATA}?${query}`)).payload as unknown[]).length;
    assert.equal(await count('tag_room=attic&items=1000&'), 1);
    assert.equal(await count('tag_room=attic&tag_room=hall&'), 2);
    assert.equal(await count('room=cellar&'), 1);
    assert.equal(await count('tag_room=nowhere&'), 0);
    assert.equal(await count('tag_other=attic&'), 3, 'what is no tag says nothing');
  });

  it('put rows together with every span, function and zone of the editor', async () => {
    const bench = await GatewayBench.start();
    const client = new NodeRedClient(bench);
    await client.request('POST', BUCKETS, { bucket: 'log', config: { source: 'api' } });
    await client.request('POST', DATA, [
      { ts: DAY, t: 1 },
      { ts: DAY + 1000, t: 3 },
    ]);
    const spans = ['5m', '15m', '30m', '1h', '3h', '6h', '12h', '1d', '1w', '1mo', '3mo', '6mo', '1y'];
    for (const span of spans) {
      const { payload } = await client.get(`${DATA}?agg=${span}&agg_type=mean&sort=asc&tz=Etc/GMT+1&`);
      assert.deepEqual((payload as { mean: unknown }[])[0]?.mean, { t: 2 }, span);
    }
    for (const type of ['count', 'mean', 'median', 'mode', 'spread', 'stddev', 'max', 'min', 'sum']) {
      const { payload } = await client.get(`${DATA}?agg=1d&agg_type=${type}&`);
      assert.ok(type in ((payload as object[])[0] ?? {}), type);
    }
  });

  it('are told of a bucket that is not there, and of a row that is none', async () => {
    const bench = await GatewayBench.start();
    const client = new NodeRedClient(bench);
    assert.equal((await client.get(`${BUCKETS}/gone/data?items=1000&sort=asc&`)).error, 'not found');
    assert.equal((await client.request('POST', `${BUCKETS}/gone/data`, { t: 1 })).error, 'not found');
    await client.request('POST', BUCKETS, { bucket: 'log', config: { source: 'api' } });
    for (const data of ['5', '"text"', 'null', '{"ts":"yesterday","t":1}', '{', {}]) {
      await assert.rejects(client.request('POST', DATA, data), (error: NodeRedError) => {
        assert.equal(error.status, 400);
        return error.message.length > 0;
      });
    }
    await client.request('PUT', `${BUCKETS}/log`, { enabled: false });
    await assert.rejects(client.request('POST', DATA, { t: 1 }), (error: NodeRedError) => error.status < 500);
  });
});

describe('bucket-export', () => {
  it('finds its file by the event, over kept sockets', async () => {
    const bench = await GatewayBench.start();
    const client = new NodeRedClient(bench);
    await client.request('POST', BUCKETS, { bucket: 'log', config: { source: 'api' } });
    await client.request('POST', DATA, { n: 1, ts: DAY });
    const orders = [
      { data_type: 'csv', timestamp_format: 'iso', max_ts: 0, min_ts: 0 },
      { data_type: 'csv', undefined: '', timestamp_format: 'seconds', max_ts: 0, min_ts: 0 },
      { data_type: 'json', timestamp_format: 'milliseconds', max_ts: null, min_ts: null },
      { data_type: 'arff', timestamp_format: 'milliseconds' },
    ];
    const files: string[] = [];
    for (const order of orders) {
      const socket = await bench.socket('/v1/users/anna/events');
      socket.send('{"event":"bucket_export_completed","bucket":"log"}');
      let file = '';
      const early: unknown[] = [];
      socket.webSocket.on('message', () => file === '' && early.push('came before the answer'));
      const { payload } = await client.request('POST', `${BUCKETS}/log/exports`, order);
      ({ file } = payload as { file: string });
      await bench.until(() => socket.messages.some((event) => event.file === file));
      assert.deepEqual(early, []);
      const { url } = socket.messages.find((event) => event.file === file)!;
      assert.match(String(url), /^file:\/\//);
      const pieces = String(url).slice('file://'.length).split('/');
      pieces.splice(-1, 0, 'exports');
      const read = await client.get(`/v1/${pieces.join('/')}`);
      files.push(Buffer.isBuffer(read.payload) ? 'bytes' : typeof read.payload);
      socket.webSocket.close(1000);
    }
    assert.deepEqual(
      files,
      ['string', 'string', 'object', 'string'],
      'the pack reads text and JSON, not bytes',
    );
  });

  it('is told of a bucket that is not there, and of what is no order', async () => {
    const bench = await GatewayBench.start();
    const client = new NodeRedClient(bench);
    const gone = await client.request('POST', `${BUCKETS}/gone/exports`, { data_type: 'csv' });
    assert.equal(gone.status, 404);
    await client.request('POST', BUCKETS, { bucket: 'log', config: { source: 'api' } });
    for (const order of [{ data_type: 'xls' }, { min_ts: 'x' }, []]) {
      await assert.rejects(client.request('POST', `${BUCKETS}/log/exports`, order), { status: 400 });
    }
  });
});
