import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { RawDevice } from '../support/raw-device';
import { Type, type RawMessage } from '../support/raw-message';
import { FlowBench, type Message } from './support/flow-bench';
import {
  catchNodes,
  completeNodes,
  resourceInNode,
  responseNode,
  serverNode,
  sinkNode,
} from './support/flows';

/** A resource that the flow answers, a response node, and a device that has called; with the call's message. */
async function startCall(
  properties: Record<string, unknown> = {},
): Promise<{ bench: FlowBench; device: RawDevice; message: Message }> {
  const bench = await FlowBench.start();
  await bench.load(
    serverNode(bench.port),
    resourceInNode({ kind: 'inout', reply: 'flow', ...properties }),
    sinkNode(),
    responseNode(),
    ...catchNodes(),
    ...completeNodes('response'),
  );
  const device = await bench.device();
  return { bench, device, message: await call(bench, device) };
}

async function call(bench: FlowBench, device: RawDevice, id = 7): Promise<Message> {
  device.send(device.build(Type.RUN, { id, resource: 'led', payload: 1 }));
  return bench.box().next();
}

function answerOf({ id, type, parameters, payload }: RawMessage): unknown[] {
  return [id, type, parameters, payload];
}

describe('iotmp-response', () => {
  it('answers with the payload', async () => {
    const { bench, device, message } = await startCall();
    bench.send('response', { ...message, payload: { level: 23.4, raw: Buffer.from([1]) } });
    const answer = await device.next();
    assert.deepEqual(answerOf(answer), [7, Type.OK, undefined, { level: 23.4, raw: Buffer.from([1]) }]);
    assert.equal((await bench.box('completed').next())._msgid, message._msgid);
    assert.equal(bench.box('errors').all.length, 0);
  });

  it('answers straight from the wire of the resource', async () => {
    const bench = await FlowBench.start();
    const echo = resourceInNode({ kind: 'inout', reply: 'flow', wires: [['response']] });
    await bench.load(serverNode(bench.port), echo, responseNode());
    const device = await bench.device();
    device.send(device.build(Type.RUN, { id: 7, resource: 'led', payload: 'echo' }));
    assert.deepEqual(answerOf(await device.next()), [7, Type.OK, undefined, 'echo']);
  });

  it('makes the token plain data that survives cloning and JSON', async () => {
    const { bench, device, message } = await startCall();
    const token = message._iotmp as Record<string, unknown>;
    assert.equal(token.type, 'iotmp');
    assert.deepEqual(JSON.parse(JSON.stringify(token)), token);
    const clone: Message = bench.RED.util.cloneMessage(message);
    bench.send('response', { payload: 'cloned', _iotmp: JSON.parse(JSON.stringify(clone._iotmp)) });
    assert.deepEqual(answerOf(await device.next()), [7, Type.OK, undefined, 'cloned']);
  });

  it('makes a status code of 400 and more an ERROR, and passes others on', async () => {
    const { bench, device, message } = await startCall();
    bench.send('response', { ...message, payload: { error: 'too hot' }, statusCode: 422 });
    assert.deepEqual(answerOf(await device.next()), [7, Type.ERROR, 422, { error: 'too hot' }]);
    bench.send('response', { ...(await call(bench, device, 8)), payload: 'made', statusCode: '201' });
    assert.deepEqual(answerOf(await device.next()), [8, Type.OK, 201, 'made']);
  });

  for (const statusCode of [99, 600, 404.5, 'none', true, {}]) {
    it(`refuses the status code ${JSON.stringify(statusCode)}, and leaves the call open`, async () => {
      const { bench, device, message } = await startCall();
      bench.send('response', { ...message, statusCode });
      const error = await bench.error();
      assert.deepEqual(
        [error.code, error.message.split(': ').at(-1)],
        ['IOTMP_ERR_CONFIG', 'errors.invalidStatusCode'],
      );
      bench.send('response', { ...message, payload: 'better' });
      assert.deepEqual(answerOf(await device.next()), [7, Type.OK, undefined, 'better']);
    });
  }

  it('answers each call once: a second answer goes to Catch', async () => {
    const { bench, device, message } = await startCall();
    bench.send('response', { ...message, payload: 1 });
    bench.send('response', { ...message, payload: 2 });
    const error = await bench.error();
    assert.deepEqual([error.code, error.msg.payload, error.source.id], ['IOTMP_ERR_REPLY', 2, 'response']);
    await device.barrier();
    assert.deepEqual(
      device
        .all(Type.OK)
        .filter(({ id }) => id === 7)
        .map(({ payload }) => payload),
      [1],
    );
  });

  it('has messages without a token, and with a made-up one, go to Catch', async () => {
    const { bench, message } = await startCall();
    const token = message._iotmp as Record<string, unknown>;
    const tokens: unknown[] = [
      undefined,
      null,
      'token',
      { ...token, type: 'other' },
      { ...token, node: 5 },
      { ...token, node: 'missing' },
      { ...token, node: 'out' },
      { ...token, call: 'made-up' },
    ];
    for (const _iotmp of tokens) {
      bench.send('response', { payload: 1, _iotmp });
      assert.equal((await bench.error()).code, 'IOTMP_ERR_REPLY', JSON.stringify(_iotmp));
    }
  });

  it('comes too late: the device got ERROR 504, and the answer goes to Catch', async () => {
    const { bench, device, message } = await startCall({ timeout: 0.1 });
    const answer = await device.next();
    assert.deepEqual([answer.id, answer.type, answer.parameters], [7, Type.ERROR, 504]);
    bench.send('response', message);
    assert.equal((await bench.error()).code, 'IOTMP_ERR_REPLY');
  });

  it('comes after the caller has gone: that is no error, but a second answer is', async () => {
    const { bench, device, message } = await startCall();
    const gone = new Promise((resolve) => bench.server().once('disconnected', resolve));
    device.wire.cut();
    await gone;
    bench.send('response', { ...message, payload: 'late' });
    bench.send('response', { ...message, payload: 'again' });
    const { code, msg } = await bench.error();
    assert.deepEqual([code, msg.payload], ['IOTMP_ERR_REPLY', 'again']);
  });

  it('holds something that cannot be sent: ERROR for the caller, and an error for Catch', async () => {
    const { bench, device, message } = await startCall();
    bench.send('response', { ...message, payload: { deep: [() => 1] } });
    assert.equal((await bench.error()).code, 'IOTMP_ERR_ENCODE');
    const answer = await device.next();
    assert.deepEqual([answer.id, answer.type, answer.parameters], [7, Type.ERROR, 500]);
  });

  it('gives the caller an ERROR when the flow is stopped before it answers', async () => {
    const { bench, device } = await startCall();
    const { credentials: _, ...server } = serverNode(bench.port);
    await bench.deploy('nodes', server, resourceInNode({ resource: 'other' }), sinkNode());
    const answer = await device.next();
    assert.deepEqual([answer.id, answer.type, answer.parameters], [7, Type.ERROR, 503]);
  });
});
