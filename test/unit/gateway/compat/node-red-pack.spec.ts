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
});
