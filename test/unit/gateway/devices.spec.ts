import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { describe, it } from 'mocha';
import { openStore } from '../../../src/store/open-store';
import { GatewayBench, type Answer } from './support/gateway-bench';

const DEVICES = '/v1/users/anna/devices';
const VALVE = { device: 'valve', credentials: 'turn-turn', name: 'Valve' };

type Device = Record<string, unknown>;

function names({ body }: Answer): string[] {
  return (body as { device: string }[]).map(({ device }) => device);
}

describe('devices over HTTP', () => {
  it('are listed, with their connection', async () => {
    const bench = await GatewayBench.start();
    await bench.device();
    const [lamp, pump] = (await bench.get(DEVICES)).body as [Device, Device];
    assert.equal(lamp.device, 'lamp');
    assert.deepEqual(lamp.connection, { active: false, ts: 0, security: '' });
    assert.equal(pump.type, 'Generic');
    assert.equal((pump.connection as { active: boolean }).active, true);
    assert.ok((pump.connection as { ts: number }).ts > 0);
  });

  it('are listed in pages and by filters', async () => {
    const bench = await GatewayBench.start();
    for (const device of ['a1', 'a2', 'a3', 'b1']) {
      const body = { device, credentials: 'secret', name: `N ${device}`, asset_type: device.slice(0, 1) };
      assert.equal((await bench.post(DEVICES, body)).status, 200);
    }
    await bench.ask('PUT', `${DEVICES}/a1/projects`, { body: ['green', 'anna@blue'] });
    const list = async (query: string): Promise<string[]> => names(await bench.get(`${DEVICES}?${query}`));
    assert.deepEqual(await list('count=2&index=0'), ['a1', 'a2']);
    assert.deepEqual(await list('count=2&index=4'), ['lamp', 'pump']);
    assert.deepEqual(await list('count=2&index=6'), []);
    assert.deepEqual(await list('count=0'), ['a1', 'a2', 'a3', 'b1', 'lamp', 'pump']);
    assert.deepEqual(await list('name=n%20A'), ['a1', 'a2', 'a3']);
    assert.deepEqual(await list('asset_type=b&name='), ['b1']);
    assert.deepEqual(await list('project=green'), ['a1']);
    assert.deepEqual(await list('project=anna@blue'), ['a1']);
    assert.deepEqual(await list('type=MQTT'), []);
    assert.deepEqual(await list('sort=name&order=desc&count=1'), ['pump']);
    assert.equal((await bench.get(`${DEVICES}?count=-1`)).status, 400);
  });

  it('have a next credential whose first login makes it the only one, and tell neither', async () => {
    const bench = await GatewayBench.start();
    await bench.post(DEVICES, VALVE);
    const put = (body: object): Promise<Answer> => bench.ask('PUT', `${DEVICES}/valve`, { body });
    const answer = await put({ next_credentials: 'turn-next' });
    assert.equal(answer.status, 200);
    assert.doesNotMatch(JSON.stringify(answer.body), /turn|sha256|next/);
    await bench.broker.device({ device: 'valve', credential: VALVE.credentials });
    await bench.broker.device({ device: 'valve', credential: 'turn-next' });
    await assert.rejects(bench.broker.device({ device: 'valve', credential: VALVE.credentials }));
    assert.equal((await put({ next_credentials: 'short' })).status, 400);
    const named = await bench.ask('PUT', `${DEVICES}/pump`, { body: { next_credentials: 'turn-next' } });
    assert.equal(named.status, 409, 'its credentials are those of the settings');
  });

  it('are made, and connect at once', async () => {
    const bench = await GatewayBench.start();
    const made = await bench.post(DEVICES, VALVE);
    assert.equal(made.status, 200);
    const { created, modified, ...document } = made.body as Record<string, unknown>;
    assert.equal(created, modified);
    assert.deepEqual(document, {
      device: 'valve',
      user: 'anna',
      type: 'Generic',
      name: 'Valve',
      description: '',
      enabled: true,
      asset_type: '',
      asset_group: '',
      product: '',
      project: [],
      connection: { active: false, ts: 0, security: '' },
    });
    await bench.broker.device({ device: 'valve', credential: 'turn-turn' });
    assert.equal(
      ((await bench.get(`${DEVICES}/valve`)).body as typeof VALVE & { connection: { active: boolean } })
        .connection.active,
      true,
    );
    await assert.rejects(bench.broker.device({ device: 'valve', credential: 'wrong' }), /not let in/);
  });

  it('are kept, without their credential', async () => {
    const store = await openStore({ memory: true });
    const first = await GatewayBench.start({ store });
    await first.post(DEVICES, VALVE);
    const kept = await store.documents.list({ collection: 'device' });
    assert.equal(kept.length, 1);
    assert.ok(!JSON.stringify(kept).includes(VALVE.credentials));
    const second = await GatewayBench.start({ store });
    await second.broker.device({ device: 'valve', credential: VALVE.credentials });
    assert.equal((await second.get(`${DEVICES}/valve`)).status, 200);
  });

  it('are changed; who would not be let in any more is cut off', async () => {
    const bench = await GatewayBench.start();
    await bench.post(DEVICES, VALVE);
    const valve = await bench.broker.device({ device: 'valve', credential: 'turn-turn' });
    const put = (body: unknown): Promise<Answer> => bench.ask('PUT', `${DEVICES}/valve`, { body });
    const changed = await put({ name: 'V', description: 'of the tank', asset_group: '' });
    assert.equal((changed.body as { name: string }).name, 'V');
    assert.equal(valve.ended, false);
    assert.equal((await put({ credentials: 'turn-more' })).status, 200);
    await valve.serverEnded;
    const again = await bench.broker.device({ device: 'valve', credential: 'turn-more' });
    assert.equal((await put({ enabled: false })).status, 200);
    await again.serverEnded;
    await assert.rejects(bench.broker.device({ device: 'valve', credential: 'turn-more' }), /not let in/);
  });

  it('are deleted while they are connected, too', async () => {
    const bench = await GatewayBench.start();
    await bench.post(DEVICES, VALVE);
    const valve = await bench.broker.device({ device: 'valve', credential: 'turn-turn' });
    const answer = await bench.ask('DELETE', `${DEVICES}/valve`);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-length'], '0');
    await valve.serverEnded;
    await assert.rejects(bench.broker.device({ device: 'valve', credential: 'turn-turn' }), /not let in/);
  });

  it('are refused when they are not what they should be', async () => {
    const bench = await GatewayBench.start();
    const refused: [unknown, number][] = [
      [{}, 400],
      [[], 400],
      ['text', 400],
      [{ ...VALVE, device: 'with space' }, 400],
      [{ ...VALVE, device: 'x'.repeat(33) }, 400],
      [{ ...VALVE, credentials: 'short' }, 400],
      [{ ...VALVE, credentials: 123456 }, 400],
      [{ device: 'valve' }, 400],
      [{ ...VALVE, type: 'HTTP' }, 400],
      [{ ...VALVE, type: 'Other' }, 400],
      [{ ...VALVE, extra: 1 }, 400],
      [{ ...VALVE, device: 'pump' }, 409],
    ];
    for (const [body, status] of refused) {
      const answer = await bench.post(DEVICES, body);
      assert.equal(answer.status, status, JSON.stringify(body));
      assert.match(answer.type ?? '', /json/);
    }
    const proto = await bench.ask('POST', DEVICES, {
      raw: '{"__proto__":{"device":"x"},"credentials":"secret"}',
    });
    assert.equal(proto.status, 400);
    for (const body of [{ enabled: false }, { name: 'x', credentials: 'another' }]) {
      assert.equal((await bench.ask('PUT', `${DEVICES}/pump`, { body })).status, 409);
    }
    assert.equal((await bench.ask('DELETE', `${DEVICES}/pump`)).status, 409);
    assert.equal((await bench.ask('PUT', `${DEVICES}/none`, { body: { name: 'x' } })).status, 404);
    assert.equal((await bench.ask('DELETE', `${DEVICES}/none`)).status, 404);
  });

  it('of the table of the server take what the table does not say', async () => {
    const bench = await GatewayBench.start();
    const device = await bench.device();
    const about = { name: 'Pump', asset_type: 'pumps', asset_group: 'hall', product: 'p1' };
    const put = await bench.ask('PUT', `${DEVICES}/pump`, { body: about });
    assert.equal(put.status, 200);
    assert.equal((await bench.ask('PUT', `${DEVICES}/pump/projects`, { body: ['x'] })).status, 200);
    const row = (await bench.get(`${DEVICES}/pump`)).body as Record<string, unknown>;
    assert.deepEqual(
      [row.name, row.asset_type, row.asset_group, row.product, row.project, row.type],
      ['Pump', 'pumps', 'hall', 'p1', ['anna@x'], 'Generic'],
    );
    assert.equal((await bench.get('/v1/users/anna/types/pumps')).status, 200);
    await bench.post('/v1/users/anna/types/pumps/properties', { property: 'limit', value: 7 });
    const inherited = await bench.get('/v3/users/anna/devices/pump/properties/limit');
    assert.equal((inherited.body as { value: number }).value, 7);
    assert.equal(device.ended, false);
    const names = (await bench.get(DEVICES)).body as { device: string }[];
    assert.deepEqual(
      names.map((one) => one.device),
      ['lamp', 'pump'],
    );
  });

  it('of the table stay with their properties when their user is deleted, and connected', async () => {
    const bench = await GatewayBench.start();
    const root = await bench.tokenOf('root');
    const device = await bench.device();
    await bench.ask('PUT', `${DEVICES}/pump`, { body: { asset_type: 'pumps' } });
    await bench.post('/v3/users/anna/devices/pump/properties', { property: 'limit', value: 7 });
    assert.equal((await bench.ask('DELETE', '/v1/users/anna', { token: root })).status, 200);
    assert.equal(device.ended, false);
    assert.equal((await bench.services.properties.get({ user: 'anna', device: 'pump' }, 'limit'))?.value, 7);
  });

  it('are found by their ids', async () => {
    const bench = await GatewayBench.start();
    const found = async (query: string): Promise<string[]> =>
      ((await bench.get(`${DEVICES}?${query}`)).body as { device: string }[]).map(({ device }) => device);
    assert.deepEqual(await found('id=pump'), ['pump']);
    assert.deepEqual(await found('id=pum'), []);
    assert.deepEqual(await found('id=pump,lamp'), ['lamp', 'pump']);
    assert.deepEqual(await found('id='), ['lamp', 'pump']);
  });

  it('tell how they stand', async () => {
    const bench = await GatewayBench.start();
    const away = { connected: false, connected_ts: 0, ip_address: '', rx_bytes: 0, tx_bytes: 0 };
    assert.deepEqual((await bench.get(`${DEVICES}/pump/stats`)).body, away);
    await bench.device();
    for (const version of ['v1', 'v3']) {
      const { body } = await bench.get(`/${version}/users/anna/devices/pump/stats`);
      const { connected, rx_bytes, tx_bytes } = body as typeof away;
      assert.equal(connected, true);
      assert.ok(rx_bytes > 0 && tx_bytes > 0);
    }
    assert.equal((await bench.get(`${DEVICES}/none/stats`)).status, 404);
    const { body } = await bench.get('/v1/users/anna/info/devices/stats');
    assert.deepEqual(body, { total: 2, connected: 1, disconnected: 1 });
  });

  it('tell how they stand as it changes, in an event stream', async () => {
    const bench = await GatewayBench.start();
    const headers = { Accept: 'text/event-stream', Authorization: `Bearer ${bench.token}` };
    const request = http.get({ port: bench.port, path: `${DEVICES}/pump/stats`, headers, agent: false });
    request.on('error', () => undefined);
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    assert.equal(response.headers['content-type'], 'text/event-stream');
    let text = '';
    response.on('data', (chunk: Buffer) => (text += chunk.toString()));
    response.on('error', () => undefined);
    await bench.until(() => text.startsWith('event: connect\ndata: {"connected":false,'));
    const device = await bench.device();
    await bench.until(() => text.includes('event: message\ndata: {"connected":true,'));
    await device.barrier();
    await bench.broker.clock.advance(1000);
    await bench.until(() => /event: message\ndata: \{"rx_bytes":\d+,"tx_bytes":\d+\}\n\n/.test(text));
    await bench.broker.clock.advance(15_000);
    await bench.until(() => text.endsWith(':\n\n'));
    request.destroy();
    await once(request, 'close');
  });
});
