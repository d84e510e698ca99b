import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Directory } from '../../../src/directory/directory';
import { StorageError } from '../../../src/errors';
import type { DocumentStore } from '../../../src/store/document-store';
import { openStore } from '../../../src/store/open-store';
import type { Store } from '../../../src/store/store';
import { cleanUp } from '../../support/clean-up';
import { GatewayBench, type Answer } from './support/gateway-bench';

const USER = '/v1/users/bert';
const VALVE = { user: 'bert', device: 'valve', credential: 'turn-turn' };
const LOGIN = { grant_type: 'password', username: 'bert', password: 'berts password' };

/** A store whose documents cannot be written while `disk.full`. */
async function fullStore(): Promise<{ store: Store; disk: { full: boolean } }> {
  const store = await openStore({ memory: true });
  cleanUp(() => store.close());
  const disk = { full: false };
  const { documents } = store;
  const check = (): void => {
    if (disk.full) throw new StorageError('full', '/a/file: no space is left for the file');
  };
  const failing: DocumentStore = {
    get: (...args) => documents.get(...args),
    list: (...args) => documents.list(...args),
    clear: (...args) => documents.clear(...args),
    scan: (collection) => documents.scan(collection),
    merge: (...args) => documents.merge(...args),
    put: async (...args) => (check(), documents.put(...args)),
    remove: async (...args) => (check(), documents.remove(...args)),
  };
  const limited = Object.defineProperty(Object.create(store) as Store, 'documents', { value: failing });
  return { store: limited, disk };
}

/** bert with a device, tokens and a login, and a server that reads what it keeps. */
async function newBench() {
  const { store, disk } = await fullStore();
  const warnings: string[] = [];
  const bench = await GatewayBench.start({ store, onWarning: (text) => warnings.push(text) });
  const root = { token: await bench.tokenOf('root') };
  const ask = { token: await bench.tokenOf('bert') };
  await bench.post(`${USER}/tokens`, { token: 'app', allow: { '*': { '*': '*' } } }, ask);
  const app = { token: accessOf(await bench.get(`${USER}/tokens/app`, ask)) };
  await bench.post(`${USER}/devices`, { device: 'valve', credentials: VALVE.credential }, ask);
  const made = await bench.post(`${USER}/devices/valve/tokens`, { token_name: 'app' }, ask);
  const { id, token: deviceToken } = made.body as { id: string; token: string };
  const session = (await bench.post('/oauth/token', LOGIN, { token: null })).body as Record<string, string>;
  const login = { token: session.access_token ?? '' };
  const valve = await bench.device({ temp: { fn: 3, run: () => 1 } }, VALVE);
  const allKept = async (): Promise<void> => {
    await bench.broker.clock.advance(60_000);
    await bench.broker.until(() => warnings.at(-1) === 'all that was revoked is kept now');
  };
  /** What another server finds in the store. */
  const restarted = async (): Promise<Directory> => {
    const directory = new Directory(bench.server, { store, clock: bench.broker.clock });
    await directory.start();
    await directory.close();
    return directory;
  };
  return {
    bench,
    disk,
    root,
    ask,
    app,
    id,
    device: { token: deviceToken },
    login,
    valve,
    restarted,
    allKept,
    store,
    warnings,
  };
}

function accessOf({ body }: Answer): string {
  return (body as { access_token: string }).access_token;
}

async function assertOut(bench: GatewayBench, one: { token: string }): Promise<void> {
  assert.equal((await bench.get(`${USER}/devices`, one)).status, 401);
}

describe('a lock-out while the disk is full', () => {
  it('of a token counts at once, is answered with 507 until it is written, and is written by itself', async () => {
    const { bench, disk, ask, app, store, warnings, allKept } = await newBench();
    disk.full = true;
    const remove = (): Promise<Answer> => bench.ask('DELETE', `${USER}/tokens/app`, ask);
    assert.equal((await remove()).status, 507);
    await assertOut(bench, app);
    assert.equal((await remove()).status, 507);
    assert.equal((await bench.post(`${USER}/tokens`, { token: 'app' }, ask)).status, 507);
    assert.match(warnings.join('\n'), /the token bert\/app was revoked, but that is not kept/);
    disk.full = false;
    await allKept();
    assert.equal((await remove()).status, 404);
    await assertOut(bench, app);
    const kept = await store.documents.get({ collection: 'token', user: 'bert', id: 'app' });
    assert.equal(kept, undefined);
  });

  it('of a device ends its connection and its tokens, and lets a new one of its name in later', async () => {
    const { bench, disk, ask, device, valve, restarted, allKept } = await newBench();
    disk.full = true;
    const remove = (): Promise<Answer> => bench.ask('DELETE', `${USER}/devices/valve`, ask);
    assert.equal((await remove()).status, 507);
    await valve.serverEnded;
    await assert.rejects(bench.broker.device(VALVE), /not let in/);
    assert.equal((await bench.get(`${USER}/devices/valve`, device)).status, 401);
    const again = { device: 'valve', credentials: 'another one' };
    assert.equal((await bench.post(`${USER}/devices`, again, ask)).status, 507);
    await assert.rejects(bench.broker.device({ ...VALVE, credential: 'another one' }), /not let in/);
    disk.full = false;
    assert.equal((await bench.post(`${USER}/devices`, again, ask)).status, 200);
    await allKept();
    await bench.broker.device({ ...VALVE, credential: 'another one' });
    await assertOut(bench, device);
    assert.equal((await restarted()).devices.admits(VALVE, 'another one'), true);
  });

  it('of a device that is disabled, or has another credential, ends its connection', async () => {
    const { bench, disk, ask, valve, restarted, allKept } = await newBench();
    disk.full = true;
    const put = async (body: unknown): Promise<number> =>
      (await bench.ask('PUT', `${USER}/devices/valve`, { ...ask, body })).status;
    assert.equal(await put({ name: 'Renamed', credentials: 'another one' }), 507);
    await valve.serverEnded;
    await assert.rejects(bench.broker.device(VALVE), /not let in/);
    await bench.broker.device({ ...VALVE, credential: 'another one' });
    assert.equal(await put({ enabled: false }), 507);
    await assert.rejects(bench.broker.device({ ...VALVE, credential: 'another one' }), /not let in/);
    assert.equal(await put({ enabled: true }), 507);
    await assert.rejects(bench.broker.device({ ...VALVE, credential: 'another one' }), /not let in/);
    disk.full = false;
    await allKept();
    const { devices } = await restarted();
    assert.partialDeepStrictEqual(devices.get(VALVE), { enabled: false, name: 'valve' });
  });

  it('of a user, by disabling him, counts for all that is his', async () => {
    const { bench, disk, root, ask, app, device, login, valve, restarted, allKept } = await newBench();
    disk.full = true;
    const put = (enabled: boolean): Promise<Answer> => bench.ask('PUT', USER, { ...root, body: { enabled } });
    assert.equal((await put(false)).status, 507);
    await valve.serverEnded;
    for (const one of [ask, app, device, login]) await assertOut(bench, one);
    await assert.rejects(bench.broker.device(VALVE), /not let in/);
    assert.equal((await bench.post('/oauth/token', LOGIN, { token: null })).status, 401);
    assert.equal((await put(true)).status, 507);
    await assertOut(bench, ask);
    disk.full = false;
    await allKept();
    assert.equal((await restarted()).users.get('bert')?.enabled, false);
    assert.equal((await put(true)).status, 200);
    await assertOut(bench, login);
    assert.equal((await bench.get(`${USER}/devices`, app)).status, 200);
  });

  it('of a user, by deleting him, leaves nothing to come in with', async () => {
    const { bench, disk, root, ask, app, device, login, restarted, allKept } = await newBench();
    disk.full = true;
    const remove = (): Promise<Answer> => bench.ask('DELETE', USER, root);
    assert.equal((await remove()).status, 507);
    for (const one of [ask, app, device, login]) await assertOut(bench, one);
    disk.full = false;
    await allKept();
    assert.equal((await restarted()).users.get('bert')?.enabled, false);
    assert.equal((await remove()).status, 200);
    assert.equal((await bench.get(USER, root)).status, 404);
  });

  it('of a user, by another password, ends his logins', async () => {
    const { bench, disk, ask, login, allKept } = await newBench();
    disk.full = true;
    const body = { password: 'berts new password' };
    assert.equal((await bench.ask('PUT', USER, { ...ask, body })).status, 507);
    await assertOut(bench, login);
    assert.equal((await bench.post('/oauth/token', LOGIN, { token: null })).status, 401);
    disk.full = false;
    await allKept();
    const renewed = await bench.post('/oauth/token', { ...LOGIN, ...body }, { token: null });
    assert.equal(renewed.status, 200);
  });

  it('of a token for a device, and a token with fewer rights, counts at once', async () => {
    const { bench, disk, ask, app, id, device } = await newBench();
    disk.full = true;
    const path = `${USER}/devices/valve/tokens/${id}`;
    assert.equal((await bench.ask('DELETE', path, ask)).status, 507);
    assert.equal((await bench.get(`${USER}/devices/valve`, device)).status, 401);
    assert.equal((await bench.ask('DELETE', path, ask)).status, 507);
    const body = { allow: { Bucket: { '*': '*' } } };
    assert.equal((await bench.ask('PUT', `${USER}/tokens/app`, { ...ask, body })).status, 507);
    assert.equal((await bench.get(`${USER}/devices`, app)).status, 403);
    assert.equal((await bench.get(`${USER}/buckets`, app)).status, 200);
    const wider = { allow: { '*': { '*': '*' } } };
    assert.equal((await bench.ask('PUT', `${USER}/tokens/app`, { ...ask, body: wider })).status, 507);
    assert.equal((await bench.get(`${USER}/devices`, app)).status, 403);
  });
});
