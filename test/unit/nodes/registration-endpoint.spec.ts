import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import helper from 'node-red-node-test-helper';
import type { Node } from 'node-red';
import { ServerLink } from '../../../nodes/lib/server/server-link';
import { auditOf } from './support/audit';
import { FlowBench } from './support/flow-bench';
import { PUMP, serverNode, sinkNode } from './support/flows';

const PATH = '/iotmp/servers/server/registrations';
const BOARD = { user: 'anna', device: 'board', credential: 'own' } as const;
const JSON_TYPE = { 'Content-Type': 'application/json' } as const;
const WANTED = { user: 'anna', device: 'board', address: '127.0.0.1:4711' } as const;

interface Listed {
  readonly storage: string;
  readonly windows: { readonly id: string; readonly device: string; readonly address: string }[];
}

async function start(properties: Record<string, unknown> = {}): Promise<FlowBench> {
  const bench = await FlowBench.start();
  await bench.load(serverNode(bench.port, properties), sinkNode());
  await bench.listening();
  const { link } = bench.node('server') as Node & { link: unknown };
  assert.ok(link instanceof ServerLink);
  await link.directory.start();
  return bench;
}

describe('the registration of devices in the editor', () => {
  it('accepts the next login of a device from an address, also where no API is served', async () => {
    const bench = await start({ api: false, storage: 'memory' });
    await assert.rejects(bench.device(BOARD));
    const { status, body, headers } = await helper.request().post(PATH).send(WANTED);
    assert.equal(status, 200);
    assert.equal(headers['cache-control'], 'no-store');
    const { storage, windows } = body as Listed;
    assert.equal(storage, 'memory');
    assert.deepEqual(
      windows.map(({ device, address }) => [device, address]),
      [['board', '127.0.0.1']],
    );
    await bench.device(BOARD);
    assert.deepEqual(((await helper.request().get(PATH)).body as Listed).windows, []);
    await bench.device(BOARD);
    const [entry] = await auditOf(bench);
    assert.deepEqual(
      [entry?.actor, entry?.by, entry?.action, entry?.target, entry?.address],
      ['server', 'anna', 'RegisterDeviceByLogin', 'anna/board', '127.0.0.1'],
    );
    assert.ok(!JSON.stringify(entry).includes(BOARD.credential));
    const line = bench.log('info', 'server').find((text) => text.startsWith('provisioned'));
    assert.match(line ?? '', /^provisioned\.awaited\(name="anna\/board", address=127\.0\.0\.1:\d+, /);
  });

  it('awaits a login no more when that is asked for', async () => {
    const bench = await start();
    const { body } = await helper.request().post(PATH).send(WANTED);
    const [window] = (body as Listed).windows;
    const gone = await helper
      .request()
      .delete(`${PATH}/${window?.id ?? ''}`)
      .set(JSON_TYPE);
    assert.deepEqual([gone.status, (gone.body as Listed).windows], [200, []]);
    assert.equal(
      (
        await helper
          .request()
          .delete(`${PATH}/${window?.id ?? ''}`)
          .set(JSON_TYPE)
      ).status,
      404,
    );
    await assert.rejects(bench.device(BOARD));
  });

  it('refuses what is no JSON, comes from another site, or cannot be met, in words', async () => {
    await start();
    const post = () => helper.request().post(PATH);
    assert.equal((await helper.request().delete(`${PATH}/1`)).status, 415);
    assert.equal((await post().set({ Origin: 'https://evil.example' }).send(WANTED)).status, 403);
    assert.equal((await post().set({ Origin: 'null' }).send(WANTED)).status, 403);
    const evil = helper.request().delete(`${PATH}/1`).set({ Origin: 'https://evil.example' });
    assert.equal((await evil).status, 403);
    assert.equal((await post().send({ ...WANTED, device: 1 })).status, 400);
    assert.equal((await post().send({ ...WANTED, address: 'example.org' })).status, 400);
    const inTable = await post().send({ ...WANTED, device: PUMP.device, replace: true });
    assert.equal(inTable.status, 409);
    assert.match((inTable.body as { error: string }).error, /registered in the server's settings/);
    assert.equal((await post().send({ ...WANTED, replace: true })).status, 404);
    const { body } = await helper.request().get(PATH);
    assert.deepEqual((body as Listed).windows, []);
  });

  it('knows no server that is not there', async () => {
    await start();
    const path = '/iotmp/servers/missing/registrations';
    assert.equal((await helper.request().get(path)).status, 404);
    assert.equal((await helper.request().post(path).send(WANTED)).status, 404);
    assert.equal((await helper.request().delete(`${path}/1`).set(JSON_TYPE)).status, 404);
  });
});
