import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Type } from '../support/raw-message';
import { FlowBench } from './support/flow-bench';
import { resourceInNode, serverNode, sinkNode } from './support/flows';

describe('iotmp-resource-in', () => {
  it('emits a call', async (t) => {
    const bench = await FlowBench.start(t);
    await bench.load(serverNode(bench.port), resourceInNode(), sinkNode());
    const device = await bench.device();
    device.send(device.build(Type.RUN, { id: 7, resource: 'led', payload: true }));
    const { _msgid, ...message } = await bench.box().next();
    assert.deepEqual(message, {
      payload: true,
      topic: 'led',
      path: {},
      params: null,
      user: 'anna',
      device: 'pump',
    });
    assert.equal((await device.next()).type, Type.OK);
    console.log(bench.statuses('server').all, bench.statuses('resource-in').all);
  });
});
