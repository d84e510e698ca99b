import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { Backups } from '../../../src/store/backup/backups';
import { openStore } from '../../../src/store/open-store';
import { cleanUp } from '../../support/clean-up';
import { temporaryFolder } from '../store/support/stores';
import { GatewayBench } from './support/gateway-bench';

const BACKUP = '/v1/server/backup';

async function start(freeBytes = 2 ** 40): Promise<{ bench: GatewayBench; root: string; folder: string }> {
  const file = join(temporaryFolder(), 'server.db');
  const store = await openStore({ file });
  const backups = new Backups({ store, file, freeBytes: () => Promise.resolve(freeBytes) });
  cleanUp(async () => {
    await backups.close();
    await store.close();
  });
  const bench = await GatewayBench.start({ store: Promise.resolve(store), backups });
  return { bench, root: await bench.tokenOf('root'), folder: file.replace('.db', '.backups') };
}

describe('POST /v1/server/backup', () => {
  it('makes a backup, and tells its name and size but no path of the machine', async () => {
    const { bench, root, folder } = await start();
    const { status, body } = await bench.post(BACKUP, undefined, { token: root });
    assert.equal(status, 200);
    const { backup, bytes, duration, ...more } = body as Record<string, unknown>;
    assert.deepEqual(more, {});
    assert.deepEqual(readdirSync(folder), [backup]);
    assert.ok(Number(bytes) > 0 && Number(duration) >= 0);
  });

  it('takes no path from the program', async () => {
    const { bench, root, folder } = await start();
    const body = { path: '/tmp/elsewhere', folder: '/tmp/elsewhere', backup: '../x' };
    assert.equal((await bench.post(`${BACKUP}?path=/tmp/elsewhere`, body, { token: root })).status, 200);
    assert.equal(readdirSync(folder).length, 1);
    assert.ok(!existsSync('/tmp/elsewhere'));
  });

  it('is for administrators only', async () => {
    const { bench, folder } = await start();
    assert.equal((await bench.post(BACKUP, undefined)).status, 403);
    assert.equal((await bench.post(BACKUP, undefined, { token: null })).status, 401);
    assert.ok(!existsSync(folder));
  });

  it('is answered with 409 while one is made, or without a file, and with 507 without room', async () => {
    const { bench, root } = await start();
    const answers = await Promise.all([1, 2].map(() => bench.post(BACKUP, undefined, { token: root })));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409]);
    const full = await start(0);
    assert.equal((await full.bench.post(BACKUP, undefined, { token: full.root })).status, 507);
    const inMemory = await GatewayBench.start();
    const token = await inMemory.tokenOf('root');
    assert.equal((await inMemory.post(BACKUP, undefined, { token })).status, 409);
  });
});
