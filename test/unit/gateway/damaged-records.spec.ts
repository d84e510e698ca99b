import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'mocha';
import { openStore } from '../../../src/store/open-store';
import { openFileStore, temporaryFolder } from '../store/support/stores';
import { GatewayBench } from './support/gateway-bench';

const VALVE = { user: 'anna', device: 'valve', credential: 'turn-turn' };
const TAP = { user: 'anna', device: 'tap', credential: 'drip-drip' };
const EVERYTHING = { '*': { '*': '*' } };
const DEVICES = '/v1/users/anna/devices';
const TOKENS = '/v1/users/anna/tokens';

/** A server over a store in which the records of a device, a token and a user are damaged, each in one of two ways. */
async function damagedServer(body: string) {
  const file = join(temporaryFolder(), 'store.db');
  const store = await openStore({ file });
  const before = await GatewayBench.start({ store });
  for (const { device, credential } of [VALVE, TAP]) {
    await before.post(DEVICES, { device, credentials: credential });
  }
  const made = await before.post(TOKENS, { token: 'app', allow: EVERYTHING });
  const { access_token: app } = made.body as { access_token: string };
  const bert = await before.tokenOf('bert');
  const root = await before.tokenOf('root');
  const good = await before.tokenOf('anna');
  await before.close();
  await store.close();
  const db = new DatabaseSync(file);
  db.exec(`UPDATE document SET body = ${body}
    WHERE collection = 'device' AND id = 'valve' OR collection = 'token' AND id = 'app' OR collection = 'user' AND id = 'bert'`);
  db.close();
  const warnings: string[] = [];
  const options = { onWarning: (text: string): unknown => warnings.push(text), users: [] };
  const bench = await GatewayBench.start(
    { store: await openFileStore({ file }), ...options },
    { anonymous: true },
  );
  return { bench, warnings, app, bert, root: { token: root }, good: { token: good }, file };
}

describe('records of the API that are damaged', () => {
  for (const [name, body] of [
    ['cannot be decoded', "x'ff'"],
    ['are of another form', "x'c0'"],
  ] as const) {
    it(`and ${name} let nobody in, are not replaced, and stop nothing else`, async () => {
      const { bench, warnings, app, bert, root, good } = await damagedServer(body);
      assert.deepEqual(warnings.map((line) => line.split(' is not usable')[0]).sort(), [
        'device anna/valve',
        'token anna/app',
        'user bert',
      ]);
      assert.match(bench.metric('iotmp_damaged_records'), / 3$/m);
      await bench.broker.device(TAP);
      await assert.rejects(bench.broker.device(VALVE), /not let in/);
      assert.equal((await bench.get(DEVICES, good)).status, 200);
      for (const token of [app, bert]) assert.equal((await bench.get(DEVICES, { token })).status, 401);
      const valve = { device: 'valve', credentials: 'something else' };
      assert.equal((await bench.post(DEVICES, valve, good)).status, 409);
      assert.equal((await bench.post(TOKENS, { token: 'app' }, good)).status, 409);
      const another = { user: 'bert', password: 'another password' };
      assert.equal((await bench.post('/v1/users', another, root)).status, 409);

      assert.equal((await bench.ask('DELETE', `${DEVICES}/valve`, good)).status, 200);
      assert.equal((await bench.post(DEVICES, valve, good)).status, 200);
      await bench.broker.device({ ...VALVE, credential: 'something else' });
      assert.equal((await bench.ask('DELETE', `${TOKENS}/app`, good)).status, 200);
      assert.equal((await bench.ask('DELETE', '/v1/users/bert', root)).status, 200);
      assert.equal((await bench.post('/v1/users', another, root)).status, 200);
      assert.match(bench.metric('iotmp_damaged_records'), / 0$/m);
    });
  }
});
