import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { openStore } from '../../../src/store/open-store';
import { GatewayBench, SECRET } from './support/gateway-bench';

const USER = '/v1/users/anna';

describe('secrets', () => {
  it('are in no event, no text of an error, no metric, no document, and no list', async () => {
    const store = await openStore({ memory: true });
    const bench = await GatewayBench.start({ store });
    const told: string[] = [];
    bench.server.events.listen((event) => told.push(JSON.stringify(event)));
    const secrets = [SECRET, bench.token, 'annas password', 'of the valve', 'a new password'];
    const login = { grant_type: 'password', username: 'anna', password: 'annas password' };
    const pair = (await bench.post('/oauth/token', login, { token: null })).body as Record<string, string>;
    secrets.push(pair.access_token ?? '', pair.refresh_token ?? '');
    await bench.post(`${USER}/devices`, { device: 'valve', credentials: 'of the valve' });
    const device = (await bench.post(`${USER}/devices/valve/tokens`, { token_name: 'app' })).body;
    secrets.push((device as { token: string }).token);
    const named = (await bench.post(`${USER}/tokens`, { token: 'app', allow: {} })).body;
    secrets.push((named as { access_token: string }).access_token);
    await bench.post(`${USER}/endpoints`, { endpoint: 'mail', config: { password: 'of the valve' } });
    const asUrl = `authorization=${encodeURIComponent(bench.token)}`;
    const answers = await Promise.all([
      bench.get(`${USER}/devices`),
      bench.get(`${USER}/tokens`),
      bench.get(`/v1/users/bert/devices?${asUrl}`, { token: null }),
      bench.get(`${USER}/none?${asUrl}`, { token: null }),
      bench.get(`${USER}/devices?${asUrl}x`, { token: null }),
      bench.post('/oauth/token', { ...login, password: 'a new password' }, { token: null }),
      bench.post('/oauth/token', { grant_type: 'refresh_token', refresh_token: `${bench.token}x` }),
      bench.ask('PUT', USER, { body: { password: 'a new password' } }),
      bench.get('/openapi.json'),
      bench.get('/openapi.html'),
      bench.get('/metrics', { token: await bench.tokenOf('root') }),
    ]);
    const kept: string[] = [];
    for (const collection of ['user', 'device', 'token', 'device-token', 'session']) {
      kept.push(JSON.stringify(await store.documents.list({ collection })));
    }
    const texts = [...told, ...bench.warnings, ...answers.map(({ bytes }) => bytes.toString()), ...kept];
    for (const secret of secrets) {
      assert.ok(secret.length >= 12);
      const found = texts.find((text) => text.includes(secret));
      assert.equal(found?.slice(0, 200), undefined, secret.slice(0, 20));
    }
    await bench.close();
    await store.close();
  });

  it('count no more when the gateway has another', async () => {
    const store = await openStore({ memory: true });
    const first = await GatewayBench.start({ store });
    const made = await first.post(`${USER}/tokens`, { token: 'app', allow: { '*': { '*': '*' } } });
    const { access_token: token } = made.body as { access_token: string };
    const login = { grant_type: 'password', username: 'anna', password: 'annas password' };
    const pair = (await first.post('/oauth/token', login)).body as Record<string, string>;
    await first.close();
    const second = await GatewayBench.start({ store, secret: 'another secret of the tests' });
    for (const old of [token, pair.access_token ?? '']) {
      assert.equal((await second.get(`${USER}/devices`, { token: old })).status, 401);
    }
    const renewal = { grant_type: 'refresh_token', refresh_token: pair.refresh_token };
    assert.equal((await second.post('/oauth/token', renewal)).status, 401);
    const again = (await second.get(`${USER}/tokens/app`)).body as { access_token: string };
    assert.equal((await second.get(`${USER}/devices`, { token: again.access_token })).status, 200);
    await second.close();
    await store.close();
  });
});
