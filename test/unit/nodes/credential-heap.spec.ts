import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { IotmpClient } from '../../../src';
import { cleanUp } from '../../support/clean-up';
import { FlowBench } from './support/flow-bench';
import { serverNode } from './support/flows';

const CHILD = join(__dirname, 'support/credential-heap.ts');
const CREDENTIAL = 'zebra-Quokka-7391-credential';
const HELD = 'zebra-Quokka-7391-held';

/** Unscrambled by the child process alone. */
function scrambled(text: string): string {
  return Buffer.from(text, 'latin1').reverse().toString('base64');
}

describe('a credential of the device table', () => {
  it('is nowhere in the memory of a server that has let its device in', async () => {
    const child = fork(CHILD, [CREDENTIAL, HELD].map(scrambled), { execArgv: ['--import', 'tsx'] });
    cleanUp(() => child.kill());
    const [{ port }] = (await once(child, 'message')) as [{ port: number }];
    const device = { user: 'anna', device: 'pump', credential: CREDENTIAL };
    const client = new IotmpClient({ host: '127.0.0.1', port, ...device });
    cleanUp(() => client.disconnect());
    client.connect();
    await client.ready();
    child.send('look');
    const [found] = (await once(child, 'message')) as [object];
    assert.deepEqual(found, { credential: false, held: true, heldLength: HELD.length });
  }).timeout(60_000);

  for (const properties of [{}, { enabled: false }, { tcpPort: 'none' }]) {
    it(`is not left in a node with ${JSON.stringify(properties)} that has read it`, async () => {
      const bench = await FlowBench.start();
      await bench.load(serverNode(bench.port, properties));
      const { credentials }: { credentials?: unknown } = bench.node('server');
      assert.deepEqual(Object.keys(Object(credentials) as object), []);
    });
  }
});
