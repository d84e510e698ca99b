import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { describe, it } from 'mocha';
import { openStore } from '../../../src/store/open-store';
import { cleanUp } from '../../support/clean-up';
import { fakes } from '../../support/fakes';
import { describeStores } from '../store/support/stores';
import type { RawDevice } from '../support/raw-device';
import { GatewayBench, type SocketClient } from './support/gateway-bench';

const USER = '/v1/users/bert';
const DEVICES = `${USER}/devices`;
const EVENTS = '/v1/users/bert/events';
const VALVE = { user: 'bert', device: 'valve', credential: 'turn-turn' };
const LOGIN = { grant_type: 'password', username: 'bert', password: 'berts password' };

interface Pair {
  access_token: string;
  refresh_token: string;
}

/** bert, with all that lets somebody act in his name, and all of it in use. */
interface Bert {
  readonly bench: GatewayBench;
  readonly root: string;
  readonly session: Pair;
  readonly token: string;
  readonly deviceToken: string;
  readonly valve: RawDevice;
  readonly sockets: SocketClient[];
  readonly stats: http.IncomingMessage;
}

async function busyBert(bench: GatewayBench): Promise<Bert> {
  const root = await bench.tokenOf('root');
  const session = (await bench.post('/oauth/token', LOGIN, { token: null })).body as Pair;
  const token = await bench.tokenOf('bert');
  const ask = { token };
  await bench.post(DEVICES, { device: 'valve', credentials: VALVE.credential }, ask);
  const made = await bench.post(`${DEVICES}/valve/tokens`, { token_name: 'app' }, ask);
  const { token: deviceToken } = made.body as { token: string };
  const valve = await bench.device({ temp: { fn: 3, run: () => 1 } }, VALVE);
  const streams = '/v3/users/bert/devices/valve/resources';
  const sockets = [
    await bench.socket(EVENTS, ask),
    await bench.socket('/v2/users/bert/events', { token: session.access_token }),
    await bench.socket(streams, { token: deviceToken }),
    await bench.socket(`${streams}/temp`, ask),
  ];
  return { bench, root, session, token, deviceToken, valve, sockets, stats: await follow(bench, token) };
}

/** The event stream of a device. */
async function follow(bench: GatewayBench, token: string): Promise<http.IncomingMessage> {
  const headers = { Accept: 'text/event-stream', Authorization: `Bearer ${token}` };
  const request = http.get({ port: bench.port, path: `${DEVICES}/valve/stats`, headers, agent: false });
  cleanUp(() => request.destroy());
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  response.resume();
  return response;
}

async function assertLockedOut({
  bench,
  session,
  token,
  deviceToken,
  valve,
  sockets,
  stats,
}: Bert): Promise<void> {
  await valve.serverEnded;
  await bench.until(() => sockets.every(({ closeCode }) => closeCode === 1008));
  await bench.until(() => stats.complete);
  assert.match(bench.metric('iotmp_sockets_open'), / 0$/m);
  for (const one of [session.access_token, token, deviceToken]) {
    assert.equal((await bench.get(DEVICES, { token: one })).status, 401);
    await assert.rejects(bench.socket(EVENTS, { token: one }), /401/);
  }
  const { refresh_token } = session;
  const renewal = { grant_type: 'refresh_token', refresh_token };
  for (const body of [LOGIN, renewal]) {
    assert.equal((await bench.post('/oauth/token', body, { token: null })).status, 401);
  }
  await assert.rejects(bench.broker.device(VALVE), /not let in/);
}

describeStores('a user who is deleted', (open) => {
  it('leaves nothing that lets anybody act in his name, and no data', async () => {
    const store = await open();
    const bench = await GatewayBench.start({ store });
    const bert = await busyBert(bench);
    const ask = { token: bert.token };
    await bench.post(`${USER}/buckets`, { bucket: 'log' }, ask);
    await bench.post(`${USER}/properties`, { property: 'p', value: 1 }, ask);
    await bench.post(`/v3/users/bert/devices/valve/properties`, { property: 'p', value: 1 }, ask);
    await bench.post(`${USER}/endpoints`, { endpoint: 'mail' }, ask);
    await bench.ask('PUT', '/v3/users/bert/devices/valve/callback', {
      ...ask,
      body: { actions: { write_bucket: 'log' } },
    });
    for (const topic of ['a/b', '$hidden']) {
      await bench.services.topics.publish('bert', topic, 1, { retain: true });
    }
    const told: string[] = [];
    bench.server.events.listen(({ event, user }) => told.push(`${user} ${event}`));
    assert.equal((await bench.ask('DELETE', USER, { token: bert.root })).status, 200);
    await assertLockedOut(bert);
    assert.ok(told.includes('bert device_delete') && told.includes('bert bucket_delete'));
    const left = await Promise.all([
      ...['user', 'device', 'token', 'device-token', 'session', 'endpoint', 'callback'].map((collection) =>
        store.documents.list({ collection, user: 'bert' }),
      ),
      store.documents.get({ collection: 'user', user: '*', id: 'bert' }).then((one) => (one ? [one] : [])),
      store.buckets.list('bert'),
      store.properties.list({ user: 'bert' }),
      store.properties.list({ user: 'bert', device: 'valve' }),
      store.retained.list('bert', { filter: '#' }).then(({ messages }) => messages),
      store.retained.list('bert', { filter: '$hidden' }).then(({ messages }) => messages),
    ]);
    assert.deepEqual(left.flat(), []);
    assert.equal((await bench.get(USER, { token: bert.root })).status, 404);
    // Another one of this name has nothing of the first.
    await bench.post('/v1/users', { user: 'bert', password: 'another password' }, { token: bert.root });
    assert.equal((await bench.get(DEVICES, { token: bert.session.access_token })).status, 401);
    assert.equal((await bench.get(DEVICES, { token: bert.token })).status, 401);
    assert.deepEqual((await bench.get(DEVICES, { token: bert.root })).body, []);
  });
});

describe('a user who is deleted', () => {
  it('takes nothing of others along, nor what the settings of the server give him', async () => {
    const store = await openStore({ memory: true });
    const bench = await GatewayBench.start({ store });
    const pump = await bench.device({ temp: { fn: 3, run: () => 1 } });
    const root = await bench.tokenOf('root');
    await bench.post('/v1/users/anna/buckets', { bucket: 'log' });
    await bench.post('/v1/users/anna/devices', { device: 'valve', credentials: 'turn-turn' });
    const valve = await bench.device({}, { device: 'valve', credential: 'turn-turn' });
    const others = await bench.socket('/v1/users/bert/events', { token: await bench.tokenOf('bert') });
    assert.equal((await bench.ask('DELETE', '/v1/users/anna')).status, 403, 'only an administrator may');
    assert.equal((await bench.ask('DELETE', '/v1/users/anna', { token: root })).status, 200);
    await valve.serverEnded;
    assert.equal((await bench.get('/v1/users/anna/devices')).status, 401);
    assert.equal(pump.ended, false);
    assert.equal((await store.buckets.list('anna')).length, 1);
    await others.synced();
    assert.equal(others.closeCode, undefined);
    assert.equal((await bench.ask('DELETE', '/v1/users/nobody', { token: root })).status, 404);
  });

  it('is not brought back by what was under way', async () => {
    const bench = await GatewayBench.start();
    const [root, token] = [await bench.tokenOf('root'), await bench.tokenOf('bert')];
    // Let in, but it has not sent all of its body when bert is deleted.
    const slow = http.request({
      port: bench.port,
      path: `${USER}/tokens`,
      method: 'POST',
      headers: {
        Authorization: `Bearer ${token}`,
        'Content-Type': 'application/json',
        Expect: '100-continue',
      },
      agent: false,
    });
    const answered = once(slow, 'response') as Promise<[http.IncomingMessage]>;
    slow.write('{"token":"later",');
    await once(slow, 'continue');
    assert.equal((await bench.get(DEVICES, { token })).status, 200);
    const login = bench.post('/oauth/token', LOGIN, { token: null });
    const change = bench.ask('PUT', USER, { token, body: { password: 'berts new password' } });
    assert.equal((await bench.ask('DELETE', USER, { token: root })).status, 200);
    slow.end('"allow":{"*":{"*":"*"}}}');
    const [response] = await answered;
    response.resume();
    assert.equal(response.statusCode, 401);
    const { body } = await login;
    const { access_token: late = '' } = body as Partial<Pair>;
    assert.equal((await bench.get(DEVICES, { token: late })).status, 401);
    await change;
    assert.equal((await bench.get(USER, { token: root })).status, 404);
  });
});

describe('a user who is disabled', () => {
  it('is locked out in the same way, and loses nothing', async () => {
    const bench = await GatewayBench.start();
    const bert = await busyBert(bench);
    const { root, token, session } = bert;
    await bench.post(`${USER}/buckets`, { bucket: 'log' }, { token });
    const put = async (enabled: boolean, by = root): Promise<number> =>
      (await bench.ask('PUT', USER, { token: by, body: { enabled } })).status;
    assert.equal(await put(false, token), 403, 'not for himself to change');
    assert.equal(await put(false), 200);
    await assertLockedOut(bert);
    assert.equal(await put(true), 200);
    assert.equal((await bench.get(`${USER}/buckets/log`, { token })).status, 200);
    assert.equal(
      (await bench.get(DEVICES, { token: session.access_token })).status,
      401,
      'logins have ended',
    );
    await bench.broker.device(VALVE);
  });
});

describe('sockets and event streams', () => {
  it('end with their token, and with its rights', async () => {
    const bench = await GatewayBench.start();
    const everything = { '*': { '*': '*' } };
    const open = async (token: string): Promise<{ socket: SocketClient; path: string }> => {
      const made = await bench.post('/v1/users/anna/tokens', { token, allow: everything });
      const { access_token } = made.body as { access_token: string };
      return {
        socket: await bench.socket('/v1/users/anna/events', { token: access_token }),
        path: `/v1/users/anna/tokens/${token}`,
      };
    };
    const [gone, off, less, kept] = [await open('a'), await open('b'), await open('c'), await open('d')];
    await bench.ask('DELETE', gone.path);
    await bench.ask('PUT', off.path, { body: { enabled: false } });
    await bench.ask('PUT', less.path, { body: { allow: { Device: { '*': '*' } } } });
    await bench.ask('PUT', kept.path, { body: { name: 'another name', allow: everything } });
    await bench.until(() => [gone, off, less].every(({ socket }) => socket.closeCode === 1008));
    await kept.socket.synced();
    assert.equal(kept.socket.closeCode, undefined);
  });

  it('of an administrator who is one no more end', async () => {
    const bench = await GatewayBench.start();
    const [root, second] = [await bench.tokenOf('root'), await bench.tokenOf('boss')];
    await bench.post('/v1/users', { user: 'boss', role: 'admin' }, { token: root });
    const socket = await bench.socket('/v1/users/anna/events', { token: second });
    await bench.ask('PUT', '/v1/users/boss', { token: root, body: { role: 'user' } });
    await bench.until(() => socket.closeCode === 1008);
  });

  it('of a device that is deleted end, and it is known no more', async () => {
    const bench = await GatewayBench.start();
    const { sockets, stats, token, deviceToken, valve } = await busyBert(bench);
    assert.equal((await bench.ask('DELETE', `${DEVICES}/valve`, { token })).status, 200);
    await valve.serverEnded;
    await bench.until(() => sockets.slice(2).every(({ closeCode }) => closeCode === 1008));
    await bench.until(() => stats.complete);
    assert.deepEqual(
      sockets.slice(0, 2).map(({ closeCode }) => closeCode),
      [undefined, undefined],
    );
    assert.equal((await bench.get(`${DEVICES}/valve`, { token })).status, 404);
    assert.equal((await bench.get(`${DEVICES}/valve`, { token: deviceToken })).status, 401);
  });

  it('of a token that has expired end, event streams too', async () => {
    const bench = await GatewayBench.start();
    const { stats, sockets, token } = await busyBert(bench);
    const expire = Math.floor(Date.now() / 1000) + 3600;
    const body = { token: 'short', allow: { '*': { '*': '*' } }, expire };
    const made = await bench.post(`${USER}/tokens`, body, { token });
    const short = (made.body as { access_token: string }).access_token;
    const socket = await bench.socket(EVENTS, { token: short });
    const ending = await follow(bench, short);
    fakes.stub(Date, 'now').callsFake(() => expire * 1000);
    await bench.broker.clock.advance(30_000);
    await bench.until(() => socket.closeCode === 1008 && ending.complete);
    assert.equal(stats.complete, false, 'a token without an end goes on');
    assert.equal(sockets[0]?.closeCode, undefined);
  });

  it('that are closed hear nothing more', async () => {
    const bench = await GatewayBench.start();
    const made: unknown[] = [];
    await bench.device({ led: { fn: 2, run: (input) => void made.push(input) } });
    const token = await bench.tokenOf('anna');
    const socket = await bench.socket('/v3/users/anna/devices/pump/resources/led', { token });
    await bench.until(() => socket.frames.length > 0);
    const before = made.length;
    const [{ token: name } = { token: '' }] = (
      (await bench.get('/v1/users/anna/tokens')).body as { token: string }[]
    ).filter((row) => row.token !== 'all');
    // The close frame of the server waits for an answer while the client goes on to write.
    socket.webSocket.pause();
    await bench.ask('DELETE', `/v1/users/anna/tokens/${name}`);
    socket.send({ resource: 'led', payload: true });
    await bench.get('/v1/users/anna/devices');
    socket.webSocket.resume();
    await bench.until(() => socket.closeCode !== undefined);
    assert.equal(made.length, before);
  });
});
