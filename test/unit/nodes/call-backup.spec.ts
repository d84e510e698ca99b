import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { temporaryFolder } from '../store/support/stores';
import { auditOf, told } from './support/audit';
import { FlowBench } from './support/flow-bench';
import { callNode, catchNodes, serverNode, sinkNode } from './support/flows';

const BACKUP = { service: 'server', action: 'backup', device: '', resource: '' };

describe('iotmp-call of a backup', () => {
  it('makes one beside the store, and emits where it is', async () => {
    const bench = await FlowBench.start({ userDir: temporaryFolder() });
    await bench.load(serverNode(bench.port, { storage: 'file' }), callNode(BACKUP), sinkNode());
    await bench.listening();
    bench.send('call', { topic: 'kept' });
    const { payload, statusCode, topic } = await bench.box().next();
    assert.deepEqual([statusCode, topic], [200, 'kept']);
    const { path, backup, bytes, duration } = payload as Record<string, unknown>;
    assert.ok(String(path).endsWith(join('server.backups', String(backup))));
    assert.ok(existsSync(join(String(path), 'server.db')));
    assert.deepEqual(told(await auditOf(bench)), [`flow flow CreateServerBackup ${String(backup)} 200`]);
    assert.ok(Number(bytes) > 0 && Number(duration) >= 0);
  });

  it('fails where the storage is in memory', async () => {
    const bench = await FlowBench.start();
    await bench.load(serverNode(bench.port, { storage: 'memory' }), callNode(BACKUP), ...catchNodes());
    await bench.listening();
    bench.send('call', {});
    assert.equal((await bench.error()).code, 'IOTMP_ERR_CONFLICT');
  });
});
