import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { describe, it } from 'mocha';
import { fakes } from '../../support/fakes';
import type { RawDevice } from '../support/raw-device';
import { Type, type RawMessage } from '../support/raw-message';
import { FlowBench } from './support/flow-bench';
import {
  callNode,
  catchNodes,
  clientNode,
  resourceInNode,
  responseNode,
  serverNode,
  sinkNode,
  type NodeConfig,
} from './support/flows';

const CALL_ENDPOINT = 4;

function endpointNode(properties: Record<string, unknown> = {}): NodeConfig {
  return resourceInNode({ resource: 'greet', kind: 'endpoint', ...properties });
}

async function start(...nodes: readonly NodeConfig[]): Promise<FlowBench> {
  const bench = await FlowBench.start();
  await bench.load(serverNode(bench.port), ...nodes, sinkNode(), ...catchNodes());
  return bench;
}

/** A device calls an endpoint; gives the answer. */
async function call(device: RawDevice, name: string, payload?: unknown): Promise<RawMessage> {
  const input = payload === undefined ? {} : { payload };
  device.send(device.build(Type.RUN, { id: 7, resource: CALL_ENDPOINT, parameters: name, ...input }));
  return device.next();
}

describe('iotmp-resource-in as an endpoint', () => {
  it('emits the call of a device as a message, and answers at once', async () => {
    const bench = await start(endpointNode());
    const { type, payload } = await call(await bench.device(), 'greet', { to: 'all' });
    assert.deepEqual([type, payload], [Type.OK, undefined]);
    const { _msgid, ...message } = await bench.box().next();
    assert.equal(typeof _msgid, 'string');
    assert.deepEqual(message, {
      payload: { to: 'all' },
      topic: 'greet',
      path: {},
      params: null,
      user: 'anna',
      device: 'pump',
    });
  });

  it('is answered by the flow, with a status', async () => {
    const bench = await start(endpointNode({ reply: 'flow' }), responseNode());
    const device = await bench.device();
    const answer = call(device, 'greet');
    const message = await bench.box().next();
    assert.equal(message.payload, null);
    bench.send('response', { ...message, payload: 'no', statusCode: 403 });
    const { type, parameters, payload } = await answer;
    assert.deepEqual([type, parameters, payload], [Type.ERROR, 403, 'no']);
  });

  it('fails with 504 when the flow does not answer', async () => {
    const bench = await start(endpointNode({ reply: 'flow', timeout: 0.1 }), responseNode());
    const { type, parameters } = await call(await bench.device(), 'greet');
    assert.deepEqual([type, parameters], [Type.ERROR, 504]);
    bench.send('response', await bench.box().next());
    assert.equal((await bench.error()).code, 'IOTMP_ERR_REPLY');
  });

  for (const [timeout, takenS] of [
    [10, 8],
    [30, 30],
    [3600, 60],
  ] as const) {
    it(`gives the flow ${takenS} s where the timeout is ${timeout} s`, async () => {
      const bench = await start(endpointNode({ reply: 'flow', timeout }));
      const device = await bench.device();
      fakes.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      device.send(device.build(Type.RUN, { id: 7, resource: CALL_ENDPOINT, parameters: 'greet' }));
      await bench.box().next();
      fakes.clock.tick(takenS * 1000 - 1);
      await setImmediate();
      assert.equal(bench.services().endpoints.pending, 1);
      fakes.clock.tick(1);
      fakes.clock.restore();
      assert.equal((await device.next()).parameters, 504);
    });
  }

  it('is called by a flow, which is no device', async () => {
    const bench = await start(
      endpointNode({ reply: 'flow', wires: [['response', 'seen']] }),
      responseNode(),
      sinkNode('seen'),
      callNode({ service: 'endpoint', device: '', resource: 'greet' }),
    );
    bench.send('call', { payload: [1, 2] });
    assert.deepEqual((await bench.box().next()).payload, [1, 2]);
    const { user, device } = await bench.box('seen').next();
    assert.deepEqual([user, device], ['anna', undefined]);
  });

  it('is gone with its node, and hosted anew after a deploy', async () => {
    const bench = await start(endpointNode());
    const device = await bench.device();
    const { credentials: _, ...server } = serverNode(bench.port);
    await bench.deploy('nodes', server, endpointNode({ resource: 'other' }), sinkNode(), ...catchNodes());
    assert.equal((await call(device, 'greet')).parameters, 404);
    assert.equal((await call(device, 'other')).type, Type.OK);
    assert.deepEqual(bench.services().endpoints.names, ['other']);
  });

  it('has a name that another one has: red on the second only', async () => {
    const bench = await start(endpointNode({ id: 'first' }), endpointNode({ id: 'second' }));
    await bench.status('second', 'red', 'status.nameInUse');
    await bench.status('first', 'green');
  });

  for (const resource of ['', 'two words', 'a/:b']) {
    it(`is named wrongly, "${resource}": red, with the reason`, async () => {
      const bench = await start(endpointNode({ resource }));
      await bench.status('resource-in', 'red', 'a name has');
    });
  }

  it('works through a server only', async () => {
    const bench = await FlowBench.start();
    const through = { via: 'client', client: 'client', server: '' };
    await bench.load(serverNode(bench.port), clientNode(bench.port), endpointNode(through), sinkNode());
    await bench.status('resource-in', 'red', 'errors.throughServer');
    assert.equal(bench.log('error', 'resource-in').length, 1);
  });
});
