import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { FlowBench } from './support/flow-bench';
import { devicesOf, PUMP, serverNode } from './support/flows';

const NEXT = 'the-next-one';

describe('a row of devices with a next credential', () => {
  it('lets in with either until the first login with it, which is a line in the log without it', async () => {
    const bench = await FlowBench.start();
    await bench.load(serverNode(bench.port, { credentials: devicesOf({ ...PUMP, next: NEXT }) }));
    await bench.device(PUMP);
    await bench.device({ ...PUMP, credential: NEXT });
    await assert.rejects(bench.device(PUMP));
    const said = bench.log('info', 'server').filter((text) => text.startsWith('credentialRotated'));
    assert.deepEqual(said, ['credentialRotated(name="anna/pump")']);
  });

  it('that is no text is left out, and one that is blank is none', async () => {
    const bench = await FlowBench.start();
    const odd = { ...PUMP, device: 'odd', next: 7 };
    await bench.load(serverNode(bench.port, { credentials: devicesOf({ ...PUMP, next: '' }, odd) }));
    assert.deepEqual(bench.server().registered, [{ user: PUMP.user, device: PUMP.device }]);
    await assert.rejects(bench.device({ ...PUMP, credential: '' }));
    await bench.device(PUMP);
  });
});
