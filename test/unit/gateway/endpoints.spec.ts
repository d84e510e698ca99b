import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { IotmpError } from '../../../src/errors';
import { Answer as Reply } from '../../../src/session/hosting/resource';
import { openStore } from '../../../src/store/open-store';
import { errorOf, GatewayBench } from './support/gateway-bench';

const ENDPOINTS = '/v1/users/anna/endpoints';
const MAIL = { endpoint: 'mail', type: 'flow', name: 'Mail', config: { recipient: 'a@b.example' } };

describe('endpoints over the API', () => {
  it('are made, listed, changed and deleted, and kept', async () => {
    const store = await openStore({ memory: true });
    const bench = await GatewayBench.start({ store });
    const told: string[] = [];
    bench.server.events.listen((event) => {
      if (event.event !== 'audit_entry') told.push(event.event);
      assert.ok(!JSON.stringify(event).includes('a@b.example'), 'what is in a config may be secret');
    });
    assert.equal((await bench.get(`${ENDPOINTS}/mail`)).status, 404);
    const made = await bench.post(ENDPOINTS, MAIL);
    const { created: _, modified: __, ...document } = made.body as Record<string, unknown>;
    const usual = { user: 'anna', description: '', enabled: true, project: [], hosted: false };
    assert.deepEqual(document, { ...MAIL, ...usual });
    assert.equal((await bench.post(ENDPOINTS, MAIL)).status, 409);
    await bench.ask('PUT', `${ENDPOINTS}/mail`, { body: { description: 'to all' } });
    const again = await GatewayBench.start({ store });
    const [row] = (await again.get(ENDPOINTS)).body as { description: string }[];
    assert.equal(row?.description, 'to all');
    assert.equal((await bench.ask('DELETE', `${ENDPOINTS}/mail`)).status, 200);
    assert.equal((await bench.ask('DELETE', `${ENDPOINTS}/mail`)).status, 404);
    assert.deepEqual(told, ['endpoint_create', 'endpoint_update', 'endpoint_delete']);
  });

  it('that a flow hosts are listed, and answer calls with what it gives', async () => {
    const bench = await GatewayBench.start();
    const got: unknown[] = [];
    bench.services.endpoints.host('double', ({ payload, user }) => {
      got.push([payload, user]);
      return { twice: Number(payload) * 2 };
    });
    bench.services.endpoints.host('quiet', () => undefined);
    bench.services.endpoints.host('made', () => new Reply('yes', 201));
    const list = (await bench.get(ENDPOINTS)).body as { endpoint: string; hosted: boolean }[];
    assert.deepEqual(
      list.map(({ endpoint, hosted }) => [endpoint, hosted]),
      [
        ['double', true],
        ['made', true],
        ['quiet', true],
      ],
    );
    const answer = await bench.post(`${ENDPOINTS}/double/call`, 21);
    assert.deepEqual([answer.status, answer.body], [200, { twice: 42 }]);
    assert.deepEqual(got, [[21, 'anna']]);
    const quiet = await bench.ask('POST', `${ENDPOINTS}/quiet/call`);
    assert.deepEqual([quiet.status, quiet.headers['content-length']], [200, '0']);
    const made = await bench.ask('POST', `${ENDPOINTS}/made/call`);
    assert.deepEqual([made.status, made.body], [201, 'yes']);
    assert.equal((await bench.ask('DELETE', `${ENDPOINTS}/double`)).status, 409);
  });

  it('that fail say how', async () => {
    const bench = await GatewayBench.start();
    bench.services.endpoints.host('fails', () => {
      throw new IotmpError('IOTMP_ERR_LOCKED', 'not now');
    });
    bench.services.endpoints.host('refuses', () => new Reply({ why: 'full' }, 409));
    const fails = await bench.post(`${ENDPOINTS}/fails/call`, 1);
    assert.deepEqual([fails.status, errorOf(fails)], [423, 'not now']);
    const refuses = await bench.post(`${ENDPOINTS}/refuses/call`, 1);
    assert.equal(refuses.status, 409);
    assert.deepEqual((refuses.body as { error: { payload: unknown } }).error.payload, { why: 'full' });
    assert.equal((await bench.post(`${ENDPOINTS}/none/call`, 1)).status, 404);
    assert.equal((await bench.ask('POST', `${ENDPOINTS}/fails/call`, { raw: '{' })).status, 400);
  });

  it('that no flow hosts are not run, unless one hosts the name', async () => {
    const bench = await GatewayBench.start();
    await bench.post(ENDPOINTS, MAIL);
    const answer = await bench.post(`${ENDPOINTS}/mail/call`, {});
    assert.equal(answer.status, 501);
    assert.match(errorOf(answer) ?? '', /hosted by no flow/);
    bench.services.endpoints.host('mail', () => 'sent');
    assert.equal((await bench.post(`${ENDPOINTS}/mail/call`, {})).body, 'sent');
    await bench.ask('PUT', `${ENDPOINTS}/mail`, { body: { enabled: false } });
    assert.equal((await bench.post(`${ENDPOINTS}/mail/call`, {})).status, 405);
  });

  it('need a token that allows them', async () => {
    const bench = await GatewayBench.start();
    bench.services.endpoints.host('double', () => 1);
    bench.services.endpoints.host('other', () => 1);
    const token = await bench.tokenOf('anna', { Endpoint: { double: ['CallEndpoint'] } });
    assert.equal((await bench.post(`${ENDPOINTS}/double/call`, 1, { token })).status, 200);
    assert.equal((await bench.post(`${ENDPOINTS}/other/call`, 1, { token })).status, 403);
    assert.equal((await bench.get(ENDPOINTS, { token })).status, 403);
  });
});
