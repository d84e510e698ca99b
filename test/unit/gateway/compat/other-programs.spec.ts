import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { describe, it } from 'node:test';
import { GatewayBench } from '../support/gateway-bench';

/** What the generated client sends with every request (`platform-api.md` section 8.3). */
const SDK = { Accept: 'application/json, */*;q=0.8' };

describe('requests of the n8n nodes', () => {
  it('check their credential with the list of users', async (t) => {
    const bench = await GatewayBench.start(t);
    const answer = await bench.get('/v1/users');
    assert.equal(answer.status, 200);
    assert.ok(Array.isArray(answer.body));
    const [, claims = ''] = bench.token.split('.');
    assert.equal((JSON.parse(Buffer.from(claims, 'base64url').toString()) as { usr: string }).usr, 'anna');
  });

  it('load options, search, and get one asset', async (t) => {
    const bench = await GatewayBench.start(t);
    assert.equal((await bench.get('/v1/server/assets')).status, 200);
    assert.equal((await bench.get('/v1/server/events')).status, 200);
    const found = (await bench.get('/v1/users/anna/devices?name=lamp')).body as { device: string }[];
    assert.deepEqual(
      found.map(({ device }) => device),
      ['lamp'],
    );
    assert.equal(
      ((await bench.get('/v1/users/anna/devices/lamp')).body as { device: string }).device,
      'lamp',
    );
    assert.equal(((await bench.get('/v1/users/anna/tokens/all')).body as { token: string }).token, 'all');
  });

  it('get many: pages of 100', async (t) => {
    const bench = await GatewayBench.start(t);
    const page = await bench.get('/v1/users/anna/devices?count=100&index=0');
    assert.equal((page.body as unknown[]).length, 2);
    assert.deepEqual((await bench.get('/v1/users/anna/devices?count=100&index=100')).body, []);
  });

  it('write to a device', async (t) => {
    const bench = await GatewayBench.start(t);
    await bench.device({ led: { fn: 4, run: (input) => input } });
    const answer = await bench.post('/v3/users/anna/devices/pump/resources/led', { value: 1 });
    assert.deepEqual(answer.body, { value: 1 });
  });
});

describe('requests of the generated client', () => {
  it('encode the resource, and get JSON of everything that has a body', async (t) => {
    const bench = await GatewayBench.start(t);
    await bench.device({
      '$ota/options': { fn: 3, run: () => ({ enabled: true }) },
      led: { fn: 2, run: () => undefined },
    });
    for (const path of [
      '/v3/users/anna/devices/pump/resources/%24ota%2Foptions',
      '/v2/users/anna/devices/pump/%24ota%2Foptions',
      '/v1/users/anna/devices/pump/%24ota%2Foptions',
      '/v3/users/anna/devices/pump/resources',
      '/v3/users/anna/devices/pump/stats',
      '/v1/users/anna/devices/pump/tokens',
    ]) {
      const answer = await bench.get(path, { headers: SDK });
      assert.equal(answer.status, 200, path);
      assert.match(answer.type ?? '', /^application\/json/);
      assert.ok(answer.bytes.length > 0);
    }
    const empty = await bench.post('/v3/users/anna/devices/pump/resources/led', true, { headers: SDK });
    assert.equal(empty.status, 200);
    assert.equal(empty.headers['content-length'], '0');
    assert.equal(empty.type, undefined);
  });

  it('get no other success than 200, and failures of access as JSON', async (t) => {
    const bench = await GatewayBench.start(t);
    const body = { device: 'sdk', credentials: 'secret' };
    const path = '/v1/users/anna/devices';
    assert.equal((await bench.post(path, body, { headers: SDK })).status, 200);
    assert.equal((await bench.ask('PUT', `${path}/sdk`, { body: { name: 'x' }, headers: SDK })).status, 200);
    const removed = await bench.ask('DELETE', `${path}/sdk`, { headers: SDK });
    assert.deepEqual([removed.status, removed.headers['content-length']], [200, '0']);
    for (const token of ['wrong', await bench.tokenOf('anna', {})]) {
      const refused = await bench.get(path, { token, headers: SDK });
      assert.ok([401, 403].includes(refused.status));
      assert.match(refused.type ?? '', /^application\/json/);
    }
  });
});

describe('requests of other programs', () => {
  it('the editor extension: lists, update resources, statistics as events', async (t) => {
    const bench = await GatewayBench.start(t);
    const chunks: unknown[] = [];
    await bench.device({
      '$ota/options': { fn: 3, run: () => ({ enabled: true, block_size: 8192 }) },
      '$ota/begin': { fn: 4, run: () => ({ success: true }) },
      '$ota/write': { fn: 4, run: (input) => ({ success: chunks.push(input) > 0 }) },
      '$ota/reboot': { fn: 1, run: () => undefined },
    });
    const base = '/v3/users/anna/devices/pump/resources/$ota';
    assert.equal(
      ((await bench.get('/v1/users/anna/devices?name=&type=Generic&count=10')).body as unknown[]).length,
      2,
    );
    assert.equal(
      ((await bench.get('/v1/users/anna/devices?product=&type=Generic&count=0')).body as unknown[]).length,
      2,
    );
    assert.deepEqual((await bench.get(`${base}/options`)).body, { enabled: true, block_size: 8192 });
    assert.deepEqual((await bench.post(`${base}/begin`, { firmware: 'f', size: 8192 })).body, {
      success: true,
    });
    const raw = Buffer.alloc(8192, 7);
    const headers = { 'Content-Type': 'application/octet-stream' };
    assert.deepEqual((await bench.ask('POST', `${base}/write`, { raw, headers })).body, { success: true });
    assert.deepEqual(chunks, [raw]);
    assert.equal((await bench.post(`${base}/reboot`)).status, 200);
    const request = http.get({
      port: bench.port,
      path: '/v1/users/anna/devices/pump/stats',
      headers: { Accept: 'text/event-stream', Authorization: `Bearer ${bench.token}` },
      agent: false,
    });
    request.on('error', () => undefined);
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    const [chunk] = (await once(response, 'data')) as [Buffer];
    response.on('error', () => undefined);
    assert.match(chunk.toString(), /^event: connect\ndata: \{"connected":true,/);
    request.destroy();
    await once(request, 'close');
  });

  it('the mobile app: login, devices, wrapped values, a run by GET', async (t) => {
    const bench = await GatewayBench.start(t);
    let runs = 0;
    await bench.device({
      led: { fn: 2, run: () => undefined },
      temp: { fn: 3, run: () => 4 },
      blink: { fn: 1, run: () => void (runs += 1) },
    });
    const login = await bench.ask('POST', '/oauth/token', {
      token: null,
      raw: 'grant_type=password&username=anna&password=annas+password',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    });
    const { access_token: token } = login.body as { access_token: string };
    assert.equal((await bench.get('/v1/users/anna/devices', { token })).status, 200);
    assert.equal((await bench.get('/v1/users/anna/devices/pump/stats', { token })).status, 200);
    assert.deepEqual((await bench.get('/v2/users/anna/devices/pump/api', { token })).body, {
      led: { fn: 2 },
      temp: { fn: 3 },
      blink: { fn: 1 },
    });
    assert.deepEqual((await bench.get('/v2/users/anna/devices/pump/temp', { token })).body, { out: 4 });
    assert.equal((await bench.post('/v2/users/anna/devices/pump/led', { in: true }, { token })).status, 200);
    assert.equal((await bench.get('/v1/users/anna/devices/pump/blink', { token })).status, 200);
    assert.equal(runs, 1);
  });

  it('a button of a web service: version 2 with a device token in the query', async (t) => {
    const bench = await GatewayBench.start(t);
    const got: unknown[] = [];
    await bench.device({ led: { fn: 2, run: (input) => void got.push(input) } });
    const made = await bench.post('/v1/users/anna/devices/pump/tokens', { token_name: 'button' });
    const { token } = made.body as { token: string };
    const path = `/v2/users/anna/devices/pump/led?authorization=${token}`;
    assert.equal((await bench.post(path, { in: true }, { token: null })).status, 200);
    assert.deepEqual(got, [true]);
  });

  it('the command line: a command as a conversation of frames', async (t) => {
    const bench = await GatewayBench.start(t);
    const device = await bench.device({ '$cmd/1': { fn: 4, run: () => ({ out: Buffer.from('ok') }) } });
    const socket = await bench.socket('/v3/users/anna/devices/pump/resources/$cmd/1?cmd=ls&timeout=10');
    await bench.until(() => socket.frames.length === 1);
    const [frame] = socket.messages;
    assert.deepEqual(frame, { resource: '$cmd/1', signal: 'data', payload: { out: { bytes: [111, 107] } } });
    socket.send({ resource: '$cmd/1', payload: 'input' });
    await bench.until(() => device.received.some(({ payload }) => payload === 'input'));
  });
});
