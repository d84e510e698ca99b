import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Node } from 'node-red';
import type { LinkStreamListener, StreamState } from '../../../nodes/lib/flow/link';
import { IotmpError } from '../../../src';
import type { RawDevice } from '../support/raw-device';
import { Type } from '../support/raw-message';
import { FlowBench } from './support/flow-bench';
import { catchNodes, clientNode, PUMP, serverNode, sinkNode, streamNode } from './support/flows';
import { freePort } from './support/free-port';

/** A device that comes with one resource of this kind. */
function connect(bench: FlowBench, fn: 2 | 3 | 4): Promise<RawDevice> {
  return bench.device(PUMP, { level: { fn, run: (input) => input ?? 'state' } });
}

/** Cuts the connection; resolves when the server knows. */
async function cut(bench: FlowBench, device: RawDevice): Promise<void> {
  const gone = new Promise((resolve) => bench.server().once('disconnected', resolve));
  device.wire.cut();
  await gone;
}

describe('troubles of iotmp-stream', () => {
  it('opens the stream of an output again when its device is back', async () => {
    const bench = await FlowBench.start();
    await bench.load(serverNode(bench.port), streamNode(), sinkNode(), ...catchNodes());
    const device = await connect(bench, 3);
    await bench.box().next();
    await cut(bench, device);
    await bench.status('stream', 'yellow', 'status.offline');
    await connect(bench, 3);
    await bench.box().next();
    await bench.status('stream', 'green', 'status.streaming');
    assert.deepEqual(bench.log('warn', 'stream'), []);
    assert.deepEqual(bench.box('errors').all, []);
  });

  for (const fn of [2, 4] as const) {
    it(`does not open the stream of an input (fn ${fn}) again unasked, and says so once`, async () => {
      const bench = await FlowBench.start();
      await bench.load(serverNode(bench.port), streamNode(), sinkNode(), ...catchNodes());
      await cut(bench, await connectAndStream(bench, fn));
      const device = await connect(bench, fn);
      await bench.status('stream', 'yellow', 'status.notReopened');
      await device.barrier();
      assert.deepEqual(device.acts, []);
      assert.deepEqual(bench.log('warn', 'stream'), ['errors.notReopened(topic=anna/pump/level)']);
      assert.deepEqual(bench.box('errors').all, []);
      bench.send('stream', { action: 'start' });
      await device.next(Type.START_STREAM);
      await bench.box().next();
    });
  }

  it('is refused: red with the words of the device, and an error for Catch', async () => {
    const bench = await FlowBench.start();
    await bench.load(serverNode(bench.port), streamNode({ autostart: false }), sinkNode(), ...catchNodes());
    const device = await bench.device();
    device.serves = false;
    bench.send('stream', { action: 'start' });
    device.error((await device.next(Type.START_STREAM)).id!, { error: 'no such thing' }, 404);
    const error = await bench.error();
    assert.deepEqual(
      [error.code, error.cause, error.msg.topic],
      ['IOTMP_ERR_REMOTE', { statusCode: 404, payload: { error: 'no such thing' } }, 'anna/pump/level'],
    );
    await bench.status('stream', 'red', 'no such thing');
  });

  it('shows the connection of its client while that is not open', async () => {
    const bench = await FlowBench.start();
    const port = await freePort();
    await bench.load(
      serverNode(bench.port),
      clientNode(port, { id: 'away' }),
      streamNode({ via: 'client', client: 'away', server: '' }),
      sinkNode(),
    );
    await bench.status('stream', 'yellow', 'status.nothingListens');
  });

  it('shows that its client is refused', async () => {
    const bench = await FlowBench.start();
    await bench.load(
      serverNode(bench.port),
      clientNode(bench.port, { credentials: { credential: 'wrong' } }),
      streamNode({ via: 'client', client: 'client', server: '' }),
      sinkNode(),
    );
    await bench.status('stream', 'red', 'status.refused');
  });
});

/** A connection whose stream was opened, because the flow just began. */
async function connectAndStream(bench: FlowBench, fn: 2 | 4): Promise<RawDevice> {
  const device = await connect(bench, fn);
  await device.next(Type.START_STREAM);
  await bench.box().next();
  return device;
}

/** A stream node on a link that does what the test says. */
async function startStub(): Promise<{ bench: FlowBench; listener: () => LinkStreamListener }> {
  const listeners: LinkStreamListener[] = [];
  const link = {
    namesDevices: true,
    state: { kind: 'up', text: 'up' },
    watch: () => (): void => undefined,
    resolve: (target: unknown): unknown => target,
    watchDevice: () => (): void => undefined,
    deviceState: () => ({ kind: 'waiting', text: 'status.offline' }),
    stream: (_target: unknown, _intervalMs: number, listener: LinkStreamListener): unknown => {
      listeners.push(listener);
      return { write: (): void => undefined, close: (): void => undefined };
    },
  };
  const bench = await FlowBench.start({}, [
    (RED) =>
      RED.nodes.registerType('stub', function (this: Node, config) {
        RED.nodes.createNode(this, config);
        Object.assign(this, { link, register: () => undefined, deregister: () => undefined });
      }),
  ]);
  await bench.load(
    { id: 'server', type: 'stub' },
    streamNode({ user: 'anna', autostart: false }),
    sinkNode(),
    ...catchNodes(),
  );
  bench.send('stream', { action: 'start' });
  await new Promise(setImmediate);
  return { bench, listener: () => listeners.at(-1)! };
}

describe('what iotmp-stream tells of the states of its stream', () => {
  const trouble: StreamState = { kind: 'error', error: new IotmpError('IOTMP_ERR_TIMEOUT', 'no answer') };

  it('tells a trouble when it begins, not while it lasts, and again when it comes back', async () => {
    const { bench, listener } = await startStub();
    listener().onState(trouble);
    assert.equal((await bench.error()).code, 'IOTMP_ERR_TIMEOUT');
    for (const state of [{ kind: 'waiting' }, trouble, { kind: 'waiting' }, trouble] as const) {
      listener().onState(state);
    }
    listener().onState({ kind: 'streaming' });
    listener().onState(trouble);
    await bench.error();
    await new Promise(setImmediate);
    assert.equal(bench.box('errors').all.length, 2);
  });

  it('tells that the stream is stalled', async () => {
    const { bench, listener } = await startStub();
    listener().onState({ kind: 'streaming' });
    listener().onState({ kind: 'stalled' });
    const error = await bench.error();
    assert.equal(error.code, 'IOTMP_ERR_TIMEOUT');
    assert.match(error.message, /errors\.stalled\(topic=anna\/pump\/level\)/);
    await bench.status('stream', 'yellow', 'status.stalled');
  });

  it('tells that the stream was stopped because its device floods it: red, and an error for Catch', async () => {
    const { bench, listener } = await startStub();
    const text = 'too many samples: 800/s, not one in 1000 ms';
    listener().onState({ kind: 'error', error: new IotmpError('IOTMP_ERR_RATE', text) });
    assert.equal((await bench.error()).code, 'IOTMP_ERR_RATE');
    await bench.status('stream', 'red', `${text.slice(0, 39)}…`);
  });

  it('shows each state', async () => {
    const { bench, listener } = await startStub();
    const states: [StreamState, string, string][] = [
      [{ kind: 'offline' }, 'yellow', 'status.offline'],
      [{ kind: 'waiting' }, 'yellow', 'status.waiting'],
      [{ kind: 'streaming' }, 'green', 'status.streaming'],
      [{ kind: 'held' }, 'yellow', 'status.notReopened'],
      [trouble, 'red', 'no answer'],
      [{ kind: 'error' }, 'red', 'status.error'],
    ];
    for (const [state, fill, text] of states) {
      listener().onState(state);
      await bench.status('stream', fill, text);
    }
  });
});
