import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { GatewayBench } from './support/gateway-bench';

const PATH = '/v1/users/anna/provisioning';
const KEY = 'the key of this line';
const DAY_MS = 86_400_000;

const draft = (more: object = {}): object => ({
  id: 'line',
  pattern: 'esp-*',
  key: KEY,
  until: Date.now() + DAY_MS,
  ...more,
});

interface Row {
  readonly enabled: boolean;
  readonly active: boolean;
  readonly devices: number;
  readonly removed: number;
  readonly note: string;
  readonly key?: string;
}

async function started(): Promise<GatewayBench> {
  const bench = await GatewayBench.start();
  assert.equal((await bench.ask('POST', PATH, { body: draft() })).status, 200);
  assert.equal((await bench.ask('PUT', `${PATH}/line`, { body: { enabled: true } })).status, 200);
  return bench;
}

const board = (device: string): object => ({ user: 'anna', device, credential: KEY });

describe('patterns of names over the API', () => {
  it('are made off, turned on and off, and say what boards with one key can do', async () => {
    const bench = await GatewayBench.start();
    const made = await bench.ask('POST', PATH, { body: draft() });
    const row = made.body as Row;
    assert.deepEqual([row.enabled, row.active, row.key], [false, false, undefined]);
    assert.match(row.note, /boards with one key can pass for each other\. .*until the server is restarted/);
    await assert.rejects(bench.broker.device(board('esp-1')), /not let in/);
    const on = await bench.ask('PUT', `${PATH}/line`, { body: { enabled: true } });
    assert.equal((on.body as Row).active, true);
    await bench.broker.device(board('esp-1'));
    const listed = await bench.get(PATH);
    assert.deepEqual(
      (listed.body as Row[]).map(({ devices }) => devices),
      [1],
    );
    assert.ok(!JSON.stringify([listed.body, (await bench.get(`${PATH}/line`)).body]).includes(KEY));
    assert.ok(!JSON.stringify((await bench.get('/v1/users/anna/devices')).body).includes(KEY));
    await bench.ask('PUT', `${PATH}/line`, { body: { enabled: false } });
    await assert.rejects(bench.broker.device(board('esp-2')), /not let in/);
  });

  it('have a key made for them where none is given, which is told once', async () => {
    const bench = await GatewayBench.start();
    const made = await bench.ask('POST', PATH, { body: draft({ key: undefined }) });
    const { key = '' } = made.body as Row;
    assert.equal(key.length, 32);
    await bench.ask('PUT', `${PATH}/line`, { body: { enabled: true } });
    await bench.broker.device({ user: 'anna', device: 'esp-1', credential: key });
    assert.equal(((await bench.get(`${PATH}/line`)).body as Row).key, undefined);
  });

  it('leave their devices when they are deleted, or take them along', async () => {
    for (const [query, status] of [
      ['', 200],
      ['?devices=keep', 200],
      ['?devices=remove', 404],
    ] as const) {
      const bench = await started();
      const device = await bench.broker.device(board('esp-1'));
      assert.equal((await bench.ask('DELETE', `${PATH}/line${query}`)).status, 200);
      assert.equal((await bench.get('/v1/users/anna/devices/esp-1')).status, status);
      await bench.broker.clock.settle();
      assert.equal(device.ended, status === 404);
      assert.equal((await bench.get(`${PATH}/line`)).status, 404);
      await assert.rejects(bench.broker.device(board('esp-2')), /not let in/);
    }
  });

  it('do not bring back a device that was deleted over the API', async () => {
    const bench = await started();
    await bench.broker.device(board('esp-1'));
    assert.equal((await bench.ask('DELETE', '/v1/users/anna/devices/esp-1')).status, 200);
    await assert.rejects(bench.broker.device(board('esp-1')), /not let in/);
    assert.equal(((await bench.get(`${PATH}/line`)).body as Row).removed, 1);
  });

  it('are made only by a token that allows everything', async () => {
    const bench = await GatewayBench.start();
    const token = await bench.tokenOf('anna', { '*': { 'esp-*': '*', line: '*' } });
    assert.equal((await bench.ask('POST', PATH, { token, body: draft() })).status, 403);
    const path = '/v1/users/anonymous/provisioning';
    assert.notEqual((await bench.ask('POST', path, { body: draft() })).status, 200);
    assert.equal((await bench.ask('POST', PATH, { body: draft({ pattern: '*' }) })).status, 400);
    assert.equal((await bench.ask('POST', PATH, { body: draft({ until: 1 }) })).status, 400);
  });

  it('go with their user', async () => {
    const bench = await GatewayBench.start();
    const admin = await bench.tokenOf('root');
    await bench.gateway.makeAdministrator('root');
    await bench.ask('POST', '/v1/users', { token: admin, body: { user: 'bert' } });
    const path = '/v1/users/bert/provisioning';
    assert.equal((await bench.ask('POST', path, { token: admin, body: draft() })).status, 200);
    assert.equal((await bench.ask('DELETE', '/v1/users/bert', { token: admin })).status, 200);
    await bench.ask('POST', '/v1/users', { token: admin, body: { user: 'bert' } });
    assert.deepEqual((await bench.get(path, { token: admin })).body, []);
  });
});
