import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'mocha';
import { FlowBench } from './support/flow-bench';
import { devicesOf, serverNode, sinkNode } from './support/flows';

const NAME = 'IOTMP_SPEC_SECRET';
const ENV = { user: 'anna', device: 'env', credential: `\${${NAME}}` };

async function start(...rows: readonly object[]): Promise<FlowBench> {
  const bench = await FlowBench.start();
  await bench.load(serverNode(bench.port, { credentials: devicesOf(...rows) }), sinkNode());
  return bench;
}

describe('an environment variable in a row of devices', () => {
  afterEach(() => {
    Reflect.deleteProperty(process.env, NAME);
  });

  it('is the credential, and its name is none', async () => {
    process.env[NAME] = 'from-env';
    const bench = await start(ENV);
    await bench.device({ ...ENV, credential: 'from-env' });
    await assert.rejects(bench.device(ENV));
  });

  it('may be in each field', async () => {
    process.env[NAME] = 'all';
    const bench = await start({ user: `\${${NAME}}`, device: `\${${NAME}}`, credential: `\${${NAME}}` });
    assert.deepEqual(bench.server().registered, [{ user: 'all', device: 'all' }]);
  });

  it('stands for itself within a longer text', async () => {
    process.env[NAME] = 'from-env';
    const bench = await start({ ...ENV, credential: `x\${${NAME}}` });
    await bench.device({ ...ENV, credential: `x\${${NAME}}` });
  });

  for (const value of [undefined, '']) {
    it(`that is ${value === undefined ? 'not set' : 'blank'} leaves its row out alone, and is named`, async () => {
      if (value !== undefined) process.env[NAME] = value;
      const bench = await start(ENV, { user: 'anna', device: 'pump', credential: 'secret' });
      assert.deepEqual(bench.server().registered, [{ user: 'anna', device: 'pump' }]);
      const said = bench.log('warn', 'server').filter((text) => text.includes('anna/env'));
      assert.equal(said.length, 1);
    });
  }
});
