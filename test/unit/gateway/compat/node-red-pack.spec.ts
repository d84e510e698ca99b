import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { errorOf, GatewayBench, type Answer, type Ask } from '../support/gateway-bench';

/** As the pack's own client sends it (`platform-api.md` section 8.1). */
const HEADERS = { 'Content-Type': 'application/json; charset=utf-8', Accept: '*/*' };
const send = (bench: GatewayBench, method: string, path: string, body?: unknown): Promise<Answer> => {
  const ask: Ask = body === undefined ? { headers: HEADERS } : { headers: HEADERS, body };
  return bench.ask(method, path, ask);
};

describe('requests of the Node-RED pack', () => {
  it('asset-iterator: the assets, then pages by offset until one is not full', async (t) => {
    const bench = await GatewayBench.start(t);
    for (let index = 0; index < 60; index++) {
      await bench.post('/v1/users/anna/devices', { device: `d${index}`, credentials: 'secret' });
    }
    const assets = (await send(bench, 'GET', '/v1/server/assets')).body as {
      asset: string;
      paths: { list: string };
    }[];
    const list = assets.find(({ asset }) => asset === 'device')!.paths.list;
    const path = list.replace(/\(\?<user>[^)]+\)/, 'anna');
    assert.equal(path, 'v1/users/anna/devices');
    const lengths: number[] = [];
    let index = 0;
    do {
      const { body } = await send(bench, 'GET', `/${path}?count=50&index=${index}`);
      lengths.push((body as unknown[]).length);
      index += (body as unknown[]).length;
    } while (lengths.at(-1) === 50);
    assert.deepEqual(lengths, [50, 12]);
    const filtered = await send(bench, 'GET', `/${path}?count=50&name=d1&count=5&index=0`);
    assert.equal((filtered.body as unknown[]).length, 5);
  });

  it('thinger-server: the lists of its editor, with a token that is none, and a brace too much', async (t) => {
    const bench = await GatewayBench.start(t);
    for (const list of ['assets', 'events']) {
      const answer = await bench.get(`/v1/server/${list}`, { token: 'undefined' });
      assert.equal(answer.status, 200);
      assert.ok(Array.isArray(answer.body));
    }
    const events = (await bench.get('/v1/server/events', { token: null })).body as { filters: unknown }[];
    assert.ok(events.every(({ filters }) => Array.isArray(filters)));
    const devices = await send(bench, 'GET', '/v1/users/anna/devices?project=&name=pu');
    assert.deepEqual(
      (devices.body as { device: string; connection: { active: boolean } }[]).map(
        ({ device, connection }) => [device, connection.active],
      ),
      [['pump', false]],
    );
    assert.equal(
      ((await send(bench, 'GET', '/v1/users/anna/devices?name=pum}')).body as unknown[]).length,
      1,
    );
    assert.equal(((await send(bench, 'GET', '/v1/users/anna')).body as { role: string }).role, 'user');
    await bench.device({ temp: { fn: 3, run: () => 1 }, led: { fn: 2, run: () => undefined } });
    const api = await send(bench, 'GET', '/v3/users/anna/devices/pump/resources/api');
    assert.deepEqual(api.body, { temp: { fn: 3 }, led: { fn: 2 } });
  });

  it('device-read: the plain value, with a content type', async (t) => {
    const bench = await GatewayBench.start(t);
    await bench.device({ temp: { fn: 3, run: () => ({ celsius: 21.5 }) } });
    const answer = await send(bench, 'GET', '/v3/users/anna/devices/pump/resources/temp');
    assert.equal(answer.status, 200);
    assert.match(answer.type ?? '', /^application\/json/);
    assert.deepEqual(answer.body, { celsius: 21.5 });
  });

  it('device-write: the plain body; and bytes with its misspelt content type', async (t) => {
    const bench = await GatewayBench.start(t);
    const got: unknown[] = [];
    await bench.device({ led: { fn: 2, run: (input) => void got.push(input) } });
    const path = '/v3/users/anna/devices/pump/resources/led';
    assert.equal((await send(bench, 'POST', path, true)).status, 200);
    const headers = { 'Content-Type': 'application/octec-stream;' };
    assert.equal((await bench.ask('POST', path, { raw: Buffer.from([1]), headers })).status, 200);
    assert.deepEqual(got, [true, Buffer.from([1])]);
  });

  it('device-create: not there, made, changed, put into projects', async (t) => {
    const bench = await GatewayBench.start(t);
    const path = '/v1/users/anna/devices/new1';
    const absent = await send(bench, 'GET', path);
    assert.equal(absent.status, 404);
    assert.equal(typeof errorOf(absent), 'string');
    const data = {
      type: 'Generic',
      device: 'new1',
      credentials: 'secret1',
      name: 'New',
      asset_type: 'a',
      asset_group: 'g',
      product: 'p',
    };
    assert.equal((await send(bench, 'POST', '/v1/users/anna/devices', data)).status, 200);
    assert.equal((await send(bench, 'GET', path)).status, 200);
    const { device: _device, type: _type, ...change } = data;
    const changed = await send(bench, 'PUT', path, { ...change, name: 'Newer' });
    assert.equal((changed.body as { name: string }).name, 'Newer');
    assert.equal((await send(bench, 'PUT', `${path}/projects`, ['green'])).status, 200);
    assert.deepEqual(((await send(bench, 'GET', path)).body as { project: string[] }).project, [
      'anna@green',
    ]);
  });

  it('device-callback: makes a device of type HTTP', async (t) => {
    const bench = await GatewayBench.start(t);
    const data = {
      type: 'HTTP',
      device: 'NR_hook',
      name: 'hook',
      description: 'Auto provisioned Node-RED Device',
    };
    const answer = await send(bench, 'POST', '/v1/users/anna/devices', data);
    assert.equal(answer.status, 200);
    assert.equal((answer.body as { type: string }).type, 'HTTP');
  });

  it('device-callback: data, of a device that has to be made first', async (t) => {
    const bench = await GatewayBench.start(t);
    const path = '/v3/users/anna/devices/NR_hook/callback';
    assert.equal((await send(bench, 'POST', `${path}/data`, { t: 1 })).status, 404);
    const device = { type: 'HTTP', device: 'NR_hook' };
    await send(bench, 'POST', '/v1/users/anna/buckets', { bucket: 'log', config: { source: 'write' } });
    await send(bench, 'POST', '/v1/users/anna/devices', device);
    const settings = { actions: { write_bucket: 'log', set_property: 'last', send_property: 'last' } };
    assert.equal((await send(bench, 'PUT', path, settings)).status, 200);
    const { actions } = (await send(bench, 'GET', path)).body as typeof settings;
    assert.deepEqual(actions, { ...settings.actions, call_endpoint: '' });
    const answer = await send(bench, 'POST', `${path}/data?ts=1000`, { t: 1 });
    assert.deepEqual([answer.status, answer.body], [200, { t: 1 }]);
    const rows = await send(bench, 'GET', '/v2/users/anna/buckets/log/data');
    assert.deepEqual(rows.body, [{ ts: 1000, device: 'NR_hook', t: 1 }]);
    assert.equal((await send(bench, 'GET', `${path}/data?t=2`)).status, 200);
    assert.equal((await send(bench, 'DELETE', '/v1/users/anna/devices/NR_hook')).status, 200);
  });

  it('device-stream: one socket for all listeners of a device', async (t) => {
    const bench = await GatewayBench.start(t);
    await bench.device({ temp: { fn: 3, run: () => 21.5 } });
    const socket = await bench.socket('/v3/users/anna/devices/pump/resources');
    socket.send({ resource: 'temp', interval: 5, enabled: true });
    await bench.until(() => socket.frames.length === 1);
    const [frame] = socket.messages;
    assert.equal(frame?.resource, 'temp');
    assert.equal(frame.payload, 21.5);
    socket.send({ resource: 'temp', enabled: false });
  });

  it('server-events: what its editor makes of asset, event and filters', async (t) => {
    const bench = await GatewayBench.start(t);
    const wanted = { device: 'pump', event: 'device_.*', state: 'disconnected' };
    const all = await bench.socket('/v1/users/anna/events');
    const some = await bench.socket('/v1/users/anna/events');
    all.send({ event: '.*' });
    some.send(wanted);
    await Promise.all([all.synced(), some.synced()]);
    const device = await bench.device();
    device.wire.cut();
    await bench.until(() => all.frames.length === 2 && some.frames.length === 1);
    assert.equal(some.messages[0]?.state, 'disconnected');
    assert.equal(some.messages[0].event, 'device_state_change');
    some.webSocket.close(1000);
  });

  it('bucket-create: not there, made, changed, put into projects', async (t) => {
    const bench = await GatewayBench.start(t);
    const path = '/v1/users/anna/buckets/new1';
    assert.equal((await send(bench, 'GET', path)).status, 404);
    const data = {
      bucket: 'new1',
      name: 'New',
      description: '',
      enabled: true,
      config: { source: 'api' },
      retention: { period: 3, unit: 'months' },
      backend: '',
      tags: [],
      asset_type: '',
    };
    assert.equal((await send(bench, 'POST', '/v1/users/anna/buckets', data)).status, 200);
    const { bucket: _, ...change } = data;
    const changed = await send(bench, 'PUT', path, { ...change, name: 'Newer' });
    assert.equal((changed.body as { name: string }).name, 'Newer');
    assert.equal((await send(bench, 'PUT', `${path}/projects`, ['green'])).status, 200);
  });

  it('bucket-write and bucket-read: rows in, and pages by moving the time', async (t) => {
    const bench = await GatewayBench.start(t);
    await send(bench, 'POST', '/v1/users/anna/buckets', { bucket: 'log', config: { source: 'api' } });
    const path = '/v1/users/anna/buckets/log/data';
    const rows = Array.from({ length: 1500 }, (_, index) => ({ ts: index + 1, n: index + 1 }));
    assert.equal((await send(bench, 'POST', path, rows)).status, 200);
    const seen: number[] = [];
    let from = 0;
    for (;;) {
      const query = `items=1000&min_ts=${from}&max_ts=0&sort=asc`;
      const page = (await send(bench, 'GET', `${path}?${query}`)).body as {
        ts: number;
        val: { n: number };
      }[];
      seen.push(...page.map(({ val }) => val.n));
      if (page.length < 1000) break;
      from = page.at(-1)!.ts;
    }
    assert.equal(new Set(seen).size, 1500);
  });

  it('bucket-export: the event after the answer, then the file where it says', async (t) => {
    const bench = await GatewayBench.start(t);
    await send(bench, 'POST', '/v1/users/anna/buckets', { bucket: 'log', config: { source: 'api' } });
    await send(bench, 'POST', '/v1/users/anna/buckets/log/data', { n: 1, ts: 1 });
    const socket = await bench.socket('/v1/users/anna/events');
    socket.send({ event: 'bucket_export_completed', bucket: 'log' });
    const order = { data_type: 'csv', timestamp_format: 'iso', min_ts: 0, max_ts: 0 };
    const { file } = (await send(bench, 'POST', '/v1/users/anna/buckets/log/exports', order)).body as {
      file: string;
    };
    await bench.until(() => socket.frames.length === 1);
    assert.equal(socket.messages[0]?.file, file);
    const pieces = String(socket.messages[0].url).replace('file://', '').split('/');
    pieces.splice(-1, 0, 'exports');
    const answer = await send(bench, 'GET', `/v1/${pieces.join('/')}`);
    assert.equal(answer.bytes.toString(), '"ts";"n"\n"1970-01-01T00:00:00.001Z";1\n');
  });

  it('endpoint-call: the response passed through', async (t) => {
    const bench = await GatewayBench.start(t);
    bench.services.endpoints.host('alert', ({ payload }) => ({ got: payload ?? null }));
    const answer = await send(bench, 'POST', '/v1/users/anna/endpoints/alert/call', { level: 3 });
    assert.deepEqual([answer.status, answer.body], [200, { got: { level: 3 } }]);
  });

  it('property-read and property-write: the list, then PUT or POST', async (t) => {
    const bench = await GatewayBench.start(t);
    const path = '/v3/users/anna/devices/pump/properties';
    assert.deepEqual((await send(bench, 'GET', path)).body, []);
    assert.equal((await send(bench, 'POST', path, { property: 'limit', value: 5 })).status, 200);
    assert.equal((await send(bench, 'PUT', `${path}/limit`, { value: 6 })).status, 200);
    const answer = await send(bench, 'GET', `${path}/limit`);
    assert.equal((answer.body as { value: number }).value, 6);
  });
});
