import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { errorOf, GatewayBench } from './support/gateway-bench';

const USER = '/v1/users/anna';
const DEVICES = `${USER}/devices`;
const BUCKETS = `${USER}/buckets`;
const HOOK = '/v3/users/anna/devices/hook/callback';
const ALL = { '*': { '*': '*' } } as const;

describe('a token that may not do something itself', () => {
  it('has no callback do it', async () => {
    const bench = await GatewayBench.start();
    await bench.post(DEVICES, { device: 'hook', type: 'HTTP' });
    await bench.post(BUCKETS, { bucket: 'secret' });
    const called: unknown[] = [];
    bench.services.endpoints.host('mail', ({ payload }) => void called.push(payload));
    const rights = { Device: { hook: ['UpdateDeviceCallback', 'CallDeviceCallback'] } };
    const token = await bench.tokenOf('anna', rights);
    const say = async (actions: Record<string, string>, by = token): Promise<number> =>
      (await bench.ask('PUT', HOOK, { body: { actions }, token: by })).status;
    for (const actions of [
      { write_bucket: 'secret' },
      { call_endpoint: 'mail' },
      { set_property: 'p' },
      { send_property: 'p' },
    ]) {
      assert.equal(await say(actions), 403, JSON.stringify(actions));
    }
    assert.equal((await bench.post(`${HOOK}/data`, { a: 1 }, { token })).status, 200);
    assert.deepEqual(called, []);
    assert.equal(((await bench.get(`${BUCKETS}/secret`)).body as { rows: number }).rows, 0);
    // What somebody who may has said is done for whoever sends data, and stays when the rest is changed.
    assert.equal(await say({ write_bucket: 'secret' }, bench.token), 200);
    assert.equal(await say({ write_bucket: 'secret' }), 200);
    assert.equal((await bench.post(`${HOOK}/data`, { a: 1 }, { token })).status, 200);
    assert.equal(((await bench.get(`${BUCKETS}/secret`)).body as { rows: number }).rows, 1);
    assert.equal(await say({ write_bucket: 'other' }), 403);
    const able = { ...rights, Bucket: { other: ['WriteBucket'] }, Endpoint: { mail: ['CallEndpoint'] } };
    const more = await bench.tokenOf('anna', able);
    assert.equal(await say({ write_bucket: 'other', call_endpoint: 'mail' }, more), 200);
  });

  it('has no bucket read a device or topics', async () => {
    const bench = await GatewayBench.start();
    await bench.device({ temp: { fn: 3, run: () => 21 }, door: { fn: 3, run: () => 'open' } });
    const token = await bench.tokenOf('anna', {
      Bucket: { '*': '*' },
      Device: { lamp: ['AccessDeviceResources'] },
    });
    const from = (device: string, resource = 'temp', update = 'events'): Record<string, string> => ({
      source: 'device',
      device,
      resource,
      update,
    });
    const make = async (bucket: string, config: unknown, by = token): Promise<number> =>
      (await bench.post(BUCKETS, { bucket, config }, { token: by })).status;
    const change = async (bucket: string, body: unknown): Promise<number> =>
      (await bench.ask('PUT', `${BUCKETS}/${bucket}`, { body, token })).status;
    assert.equal(await make('a', from('pump')), 403);
    assert.equal(await make('a', from('pump', 'temp', 'none')), 403, 'not even for later');
    assert.equal(await make('a', { source: 'mqtt', topic: '#' }), 403);
    assert.equal(await make('a', from('lamp')), 200);
    assert.equal(await change('a', { config: from('pump') }), 403);
    assert.equal(await change('a', { config: { device: 'pump' } }), 403);
    assert.equal(await change('a', { config: { source: 'write', device: 'pump' } }), 403, 'in no two steps');
    assert.equal(await change('a', { config: { source: 'mqtt', topic: 'x' } }), 403);
    assert.equal(await make('b', from('pump'), bench.token), 200);
    assert.equal(await change('b', { name: 'B', config: from('pump') }), 200, 'what it was before');
    assert.equal(await change('b', { config: from('pump', 'door') }), 403);
    assert.equal(await make('c', { source: 'mqtt', topic: 'x' }, bench.token), 200);
    assert.equal(await change('c', { config: { topic: 'y' } }), 403);
    const reader = await bench.tokenOf('anna', {
      Bucket: { '*': '*' },
      User: { anna: ['SubscribeUserEvents'] },
    });
    assert.equal(await make('d', { source: 'mqtt', topic: 'x' }, reader), 200);
  });

  it('makes no types and groups along with a device', async () => {
    const bench = await GatewayBench.start();
    const token = await bench.tokenOf('anna', { Device: { '*': '*' } });
    const device = { device: 'a', credentials: 'secret', asset_type: 'motor', asset_group: 'north' };
    const refused = await bench.post(DEVICES, device, { token });
    assert.deepEqual(
      [refused.status, errorOf(refused)],
      [403, 'the token does not allow CreateType of motor'],
    );
    await bench.post(`${USER}/types`, { type: 'motor' });
    assert.equal((await bench.post(DEVICES, device, { token })).status, 403, 'the group neither');
    assert.equal((await bench.post(DEVICES, { ...device, asset_group: '' }, { token })).status, 200);
    const put = await bench.ask('PUT', `${DEVICES}/a`, { body: { asset_group: 'north' }, token });
    assert.equal(put.status, 403);
    assert.deepEqual((await bench.get(`${USER}/groups`)).body, []);
  });

  it('sets, makes and sees no properties but its own', async () => {
    const bench = await GatewayBench.start();
    const path = `${USER}/properties`;
    for (const property of ['mine', 'other']) await bench.post(path, { property, value: 1 });
    const token = await bench.tokenOf('anna', { Property: { mine: '*' } });
    const names = (await bench.get(path, { token })).body as { property: string }[];
    assert.deepEqual(
      names.map(({ property }) => property),
      ['mine'],
    );
    assert.equal((await bench.post(path, { property: 'other', value: 2 }, { token })).status, 403);
    const both = ['mine', 'other'].map((property) => ({ property, value: 2 }));
    assert.equal((await bench.post(path, both, { token })).status, 403);
    assert.equal((await bench.post(`${path}/mine/clone`, { property: 'new' }, { token })).status, 403);
    assert.deepEqual(
      ((await bench.get(path)).body as { value: number }[]).map(({ value }) => value),
      [1, 1],
      'nothing was written',
    );
    assert.equal((await bench.post(path, { property: 'mine', value: 3 }, { token })).status, 200);
  });

  it('sees and counts nothing else in lists', async () => {
    const bench = await GatewayBench.start();
    await bench.device();
    await bench.post(`${USER}/tokens`, { token: 'spare' });
    const token = await bench.tokenOf('anna', {
      Token: { spare: ['ListTokens'] },
      Device: { lamp: ['ListDevices'] },
    });
    const tokens = (await bench.get(`${USER}/tokens`, { token })).body as { token: string }[];
    assert.deepEqual(
      tokens.map((row) => row.token),
      ['spare'],
    );
    assert.deepEqual((await bench.get(`${USER}/info/devices/stats`, { token })).body, {
      total: 1,
      connected: 0,
      disconnected: 1,
    });
    assert.deepEqual((await bench.get(`${USER}/info/devices/stats`)).body, {
      total: 2,
      connected: 1,
      disconnected: 1,
    });
  });

  it('makes no token of a device that may', async () => {
    const bench = await GatewayBench.start();
    const path = `${DEVICES}/pump/tokens`;
    const makes = ['CreateDeviceToken', 'ListDeviceTokens', 'AccessDeviceResources'];
    for (const actions of [makes, [...makes, 'ReadDevice', 'ReadDeviceStatistics']]) {
      const token = await bench.tokenOf('anna', { Device: { pump: actions } });
      assert.equal((await bench.post(path, { token_name: 'x' }, { token })).status, 403);
    }
    assert.deepEqual((await bench.get(path)).body, [], 'and leaves none behind');
    const able = await bench.tokenOf('anna', {
      Device: { pump: ['CreateDeviceToken', 'Read*', 'AccessDeviceResources', 'ListDeviceResources'] },
    });
    assert.equal((await bench.post(path, { token_name: 'x' }, { token: able })).status, 200);
  });

  it('makes no administrators, and no users but those that it may', async () => {
    const bench = await GatewayBench.start();
    const token = await bench.tokenOf('root', { User: { 'c*': ['CreateUser'] } });
    const make = async (user: string, role: string): Promise<number> =>
      (await bench.post('/v1/users', { user, role, password: 'long enough' }, { token })).status;
    assert.equal(await make('carl', 'admin'), 403);
    assert.equal(await make('dora', 'user'), 403);
    assert.equal(await make('carl', 'user'), 200);
  });
});

describe('events', () => {
  it('of what a token denies are not told', async () => {
    const bench = await GatewayBench.start();
    const deny = {
      Device: { pump: ['Read*'] },
      Bucket: { secret: '*' as const },
      Endpoint: { mail: ['ReadEndpoint'] },
      Type: { motor: ['ReadTypeProperty'] },
      Property: { key: ['ReadProperty'] },
    };
    const token = await bench.gateway.createToken('anna', 'less', { allow: ALL, deny });
    const [first, second, whole] = [
      await bench.socket(`${USER}/events`, { token }),
      await bench.socket('/v2/users/anna/events', { token }),
      await bench.socket(`${USER}/events`),
    ];
    first.send({ event: '.*' });
    whole.send({ event: '.*' });
    second.send({ event: 'bucket_write' });
    for (const socket of [first, second, whole]) await socket.synced();
    const publish = (event: string, fields: Record<string, unknown>): void =>
      bench.server.events.publish({ user: 'anna', ts: 1, ...fields, event });
    publish('bucket_write', { bucket: 'secret', data: { a: 1 } });
    publish('bucket_write', { bucket: 'log', device: 'pump', data: { a: 1 } });
    publish('device_state_change', { device: 'pump' });
    publish('endpoint_call', { endpoint: 'mail', payload: 1 });
    publish('type_property_update', { type: 'motor', property: 'p', value: 1 });
    publish('user_property_update', { property: 'key', value: 1 });
    publish('bucket_write', { bucket: 'log', data: { a: 1 } });
    publish('device_create', { device: 'lamp', type: 'motor' });
    publish('type_update', { type: 'motor' });
    for (const socket of [first, second, whole]) await socket.synced();
    assert.equal(whole.messages.length, 9);
    assert.deepEqual(
      first.messages.map(({ event }) => event),
      ['bucket_write', 'device_create', 'type_update'],
    );
    assert.deepEqual(
      second.messages.slice(1).map(({ bucket, device }) => [bucket, device]),
      [['log', undefined]],
    );
  });
});

describe('what is not enabled', () => {
  it('sends no data: a device', async () => {
    const bench = await GatewayBench.start();
    await bench.post(DEVICES, { device: 'hook', type: 'HTTP', enabled: false });
    await bench.ask('PUT', HOOK, { body: { actions: { set_property: 'p' }, properties: { timeout: 1 } } });
    assert.equal((await bench.post(`${HOOK}/data`, { a: 1 })).status, 403);
    assert.equal((await bench.get(`${HOOK}/data?a=1`)).status, 403);
    const row = (await bench.get(`${DEVICES}/hook`)).body as { connection: { active: boolean } };
    assert.equal(row.connection.active, false);
  });

  it('is not called by data: an endpoint', async () => {
    const bench = await GatewayBench.start();
    const called: unknown[] = [];
    bench.services.endpoints.host('mail', ({ payload }) => void called.push(payload));
    await bench.post(`${USER}/endpoints`, { endpoint: 'mail', enabled: false });
    await bench.post(DEVICES, { device: 'hook', type: 'HTTP' });
    await bench.ask('PUT', HOOK, { body: { actions: { call_endpoint: 'mail' } } });
    assert.equal((await bench.post(`${HOOK}/data`, { a: 1 })).status, 405);
    assert.deepEqual(called, []);
  });
});

describe('a device that the settings come to name after it was made over the API', () => {
  it('is that of the settings', async () => {
    const bench = await GatewayBench.start();
    await bench.post(DEVICES, { device: 'valve', credentials: 'of the api' });
    const api = { device: 'valve', credential: 'of the api' };
    const table = { user: 'anna', device: 'valve', credential: 'of the settings' };
    const before = await bench.broker.device(api);
    await bench.server.configure(bench.broker.options({ devices: [table] }));
    await before.serverEnded;
    await assert.rejects(bench.broker.device(api), /not let in/);
    await bench.broker.device(table);
    const put = await bench.ask('PUT', `${DEVICES}/valve`, { body: { credentials: 'of the api' } });
    assert.equal(put.status, 409);
    assert.equal((await bench.ask('DELETE', `${DEVICES}/valve`)).status, 409);
  });
});
