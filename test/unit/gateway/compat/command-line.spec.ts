import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'mocha';
import { GatewayBench, type Answer, type SocketClient } from '../support/gateway-bench';

const DEVICE = '/v3/users/anna/devices/pump';
const HEADERS = { Accept: 'application/json, text/plain, */*' };

describe('the command line', () => {
  it('proves a token by the list of proxies', async () => {
    const bench = await GatewayBench.start();
    const answer = await bench.get('/v1/proxies', { headers: HEADERS });
    assert.deepEqual([answer.status, answer.body], [200, []]);
    assert.equal((await bench.get('/v1/proxies', { headers: HEADERS, token: 'wrong' })).status, 401);
    const refused = await bench.post('/v1/proxies', { proxy: 'p', enabled: true, config: {} });
    assert.equal(refused.status, 405);
    assert.match(refused.type ?? '', /^application\/json/);
  });

  it('makes a token for itself in place of an older one', async () => {
    const bench = await GatewayBench.start();
    const tokens = '/v1/users/anna/tokens';
    assert.equal((await bench.ask('DELETE', `${tokens}/ThinRemote`, { headers: HEADERS })).status, 404);
    const body = {
      enabled: true,
      allow: { '*': { '*': '*' } },
      deny: {},
      token: 'ThinRemote',
      name: 'ThinRemote',
      description: '',
    };
    const made = await bench.post(tokens, body, { headers: HEADERS });
    const { access_token: token } = made.body as { access_token: string };
    assert.equal((await bench.get(tokens, { token })).status, 200);
    const listed = (await bench.get(tokens, { token })).body as Record<string, unknown>[];
    assert.ok(listed.every((row) => !('access_token' in row)));
    const read = (await bench.get(`${tokens}/ThinRemote`, { token })).body as { access_token: string };
    assert.equal(read.access_token, token);
    assert.equal((await bench.ask('PUT', `${tokens}/ThinRemote`, { body: { enabled: false } })).status, 200);
    assert.equal((await bench.get(tokens, { token })).status, 401);
    assert.equal((await bench.ask('DELETE', `${tokens}/ThinRemote`, { headers: HEADERS })).status, 200);
  });

  it('renews its login; of two renewals with the same token one is refused', async () => {
    const bench = await GatewayBench.start();
    const form = (raw: string): Promise<Answer> =>
      bench.ask('POST', '/oauth/token', {
        token: 'an old and stale one',
        raw,
        headers: { ...HEADERS, 'Content-Type': 'application/x-www-form-urlencoded' },
      });
    const login = await form('grant_type=password&username=anna&password=annas+password');
    const { refresh_token: first } = login.body as { refresh_token: string };
    const renewed = await form(`grant_type=refresh_token&client_id=cli&refresh_token=${first}`);
    const { access_token: token } = renewed.body as { access_token: string };
    assert.equal((await bench.get('/v1/users/anna', { token })).status, 200);
    assert.equal((await form(`grant_type=refresh_token&client_id=cli&refresh_token=${first}`)).status, 401);
  });

  it('lists devices in pages of fifty, and resources with what each takes and gives', async () => {
    const bench = await GatewayBench.start();
    for (let index = 0; index < 48; index++) {
      await bench.post('/v1/users/anna/devices', { type: 'HTTP', device: `d${index}` });
    }
    const page = async (index: number): Promise<number> =>
      ((await bench.get(`/v1/users/anna/devices?count=50&index=${index}`)).body as unknown[]).length;
    assert.deepEqual([await page(0), await page(50)], [50, 0]);
    await bench.device({ temp: { fn: 3, run: () => 4 }, cmd: { fn: 4, run: (input) => input } });
    const resources = (await bench.get(`${DEVICE}/resources/api`)).body as object;
    assert.deepEqual(Object.keys(resources).sort(), ['cmd', 'temp']);
    assert.deepEqual((await bench.get(`${DEVICE}/resources/temp/api`)).body, { out: 4 });
    assert.equal((await bench.get(`${DEVICE}/resources/none/api`)).status, 404);
    const command = { cmd: 'ls', timeout: 30, mode: 'api' };
    assert.deepEqual((await bench.post(`${DEVICE}/resources/cmd`, command)).body, command);
  });

  it('sends no body where it has nothing to say, under whatever type', async () => {
    const bench = await GatewayBench.start();
    await bench.device({ restart: { fn: 1, run: () => undefined } });
    for (const type of [undefined, 'application/x-www-form-urlencoded', 'application/json']) {
      const headers = {
        ...HEADERS,
        ...(type !== undefined && { 'Content-Type': type }),
        'Content-Length': '0',
      };
      const answer = await bench.ask('POST', `${DEVICE}/resources/restart`, { headers });
      assert.equal(answer.status, 200, type);
    }
  });

  it('asks for the hash of a file by the names of its path', async () => {
    const bench = await GatewayBench.start();
    const device = await bench.device({ '$fs/hash/etc/hosts': { fn: 3, run: () => ({ hash: 'abc' }) } });
    const answer = await bench.get(`${DEVICE}/resources/$fs/hash/etc/hosts?algorithm=md5`);
    assert.deepEqual([answer.status, answer.body], [200, { hash: 'abc' }]);
    assert.ok(device.received.some(({ parameters }) => JSON.stringify(parameters) === '{"algorithm":"md5"}'));
  });

  it('reads rows of its own buckets, and of all devices', async () => {
    const bench = await GatewayBench.start();
    await bench.post('/v1/users/anna/buckets', { bucket: 'monitoring', config: { source: 'write' } });
    await bench.ask('PUT', `${DEVICE}/callback`, { body: { actions: { write_bucket: 'monitoring' } } });
    await bench.post(`${DEVICE}/callback/data?ts=${Date.UTC(2026, 0, 5)}`, { cpu: 1, mem: 5 });
    const queries = [
      '/v2/users/anna/buckets/monitoring/data?items=1&sort=desc&min_ts=1&max_ts=0&group_by=device&fields=cpu',
      `${DEVICE}/buckets/monitoring/data?items=10&sort=desc&fields=device,cpu`,
    ];
    for (const path of queries) {
      assert.deepEqual(
        (await bench.get(path)).body,
        [{ device: 'pump', ts: Date.UTC(2026, 0, 5), cpu: 1 }],
        path,
      );
    }
    for (const agg of ['agg=5m&agg_type=mean', 'agg=10m&agg_type=avg']) {
      const { status } = await bench.get(`${queries[0]!.replace('&fields=cpu', '')}&${agg}`);
      assert.equal(status, 200, agg);
    }
  });
});

describe('sockets of the command line', () => {
  const bearer = (bench: GatewayBench): { token: null; headers: Record<string, string> } => ({
    token: null,
    headers: { Authorization: `Bearer ${bench.token}` },
  });

  it('run a command: its parameters, its frames, what is typed, and its end', async () => {
    const bench = await GatewayBench.start();
    const resource = `$cmd/${randomUUID()}`;
    const device = await bench.device({ [resource]: { fn: 4, run: () => ({ out: Buffer.from('ok\n') }) } });
    const query = new URLSearchParams({ cmd: 'ls -l "a b" | wc', timeout: '10' }).toString();
    const socket = await bench.socket(`${DEVICE}/resources/${resource}?${query}`, bearer(bench));
    await bench.until(() => socket.frames.length === 1);
    assert.deepEqual(socket.messages[0], {
      resource,
      signal: 'data',
      payload: { out: { bytes: [111, 107, 10] } },
    });
    const started = device.received.find(({ parameters }) => JSON.stringify([parameters]).includes('ls -l'));
    assert.deepEqual((started?.parameters as { cmd: string; timeout: number }).cmd, 'ls -l "a b" | wc');
    socket.send({ resource, payload: 'typed\n' });
    await bench.until(() => device.received.some(({ payload }) => payload === 'typed\n'));
    socket.webSocket.terminate();
    await bench.until(() => device.streams.size === 0);
  });

  it('are refused with 401 and 404, which it acts on', async () => {
    const bench = await GatewayBench.start();
    const path = `${DEVICE}/resources/$cmd/1?cmd=ls`;
    await assert.rejects(bench.socket(path), /refused with 404/);
    await bench.device();
    const headers = { Authorization: 'Bearer wrong' };
    await assert.rejects(bench.socket(path, { token: null, headers }), /refused with 401/);
    await assert.rejects(bench.socket('/v2/users/anna/events', { token: 'wrong' }), /refused with 401/);
  });

  it('open a terminal: plain bytes both ways, and its size by a request beside it', async () => {
    const bench = await GatewayBench.start();
    const resource = `$terminal/${randomUUID()}`;
    const sizes: unknown[] = [];
    const device = await bench.device({
      [resource]: { fn: 4, run: () => Buffer.from('$ ') },
      [`${resource}/params`]: { fn: 2, run: (input) => void sizes.push(input) },
    });
    const socket = await bench.socket(`${DEVICE}/resources/${resource}?raw=1`, bearer(bench));
    await bench.until(() => socket.frames.length > 0);
    assert.equal(Buffer.concat(socket.frames.map((frame) => Buffer.from(frame))).toString(), '$ ');
    const size = { size: { cols: 80, rows: 24 } };
    assert.equal((await bench.post(`${DEVICE}/resources/${resource}/params`, size)).status, 200);
    assert.deepEqual(sizes, [size]);
    socket.send('ls\r');
    await bench.until(() => device.received.some(({ payload }) => isText(payload, 'ls\r')));
    socket.webSocket.close();
    await bench.until(() => device.streams.size === 0);
  });

  it('follow events, and order them again after a loss', async () => {
    const bench = await GatewayBench.start();
    await bench.post('/v1/users/anna/buckets', { bucket: 'log', config: { source: 'api' } });
    const orders = [
      { event: 'bucket_write', filters: { bucket: 'log' } },
      { event: 'device_state_change' },
      { event: 'device_resource_stream', filters: { resource: 'temp' }, params: { interval: 5000 } },
    ];
    const open = async (): Promise<SocketClient> => {
      const socket = await bench.socket('/v2/users/anna/events');
      for (const order of [...orders, orders[0]]) socket.send(order);
      await socket.synced();
      assert.ok(
        socket.messages.every(({ registered, event }) => registered !== undefined || event !== undefined),
      );
      return socket;
    };
    const first = await open();
    first.webSocket.terminate();
    const second = await open();
    await bench.device({ temp: { fn: 3, run: () => 4 } });
    await bench.post('/v1/users/anna/buckets/log/data', { t: 1 });
    const of = (name: string): Record<string, unknown>[] =>
      second.messages.filter(({ event }) => event === name);
    await bench.until(() => of('bucket_write').length > 0 && of('device_resource_stream').length > 0);
    await second.synced();
    assert.equal(of('bucket_write').length, 1, 'the same order twice is one');
    assert.equal(of('device_state_change')[0]?.state, 'connected');
    const [sample] = of('device_resource_stream');
    assert.deepEqual([sample?.device, sample?.resource, sample?.payload], ['pump', 'temp', 4]);
  });
});

function isText(payload: unknown, text: string): boolean {
  return payload instanceof Uint8Array && Buffer.from(payload).toString() === text;
}
