import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { streamTable } from '../../../nodes/settings/iotmp-stream';
import { settingReader } from '../../../nodes/settings/setting';
import type { RawDevice } from '../support/raw-device';
import { Type } from '../support/raw-message';
import { FlowBench } from './support/flow-bench';
import {
  PUMP,
  catchNodes,
  clientNode,
  resourceOutNode,
  serverNode,
  sinkNode,
  streamNode,
} from './support/flows';

async function start(interval: unknown = ''): Promise<FlowBench> {
  const bench = await FlowBench.start();
  await bench.load(serverNode(bench.port), streamNode({ interval }), sinkNode(), ...catchNodes());
  return bench;
}

/** A device that comes with one resource of this kind; `undefined` does not say its kind. */
function connect(bench: FlowBench, fn: number | undefined): Promise<RawDevice> {
  return bench.device(PUMP, { level: { fn: fn as 3, run: (input) => input ?? 1 } });
}

/** The interval that the device is asked for, in ms; 0 for its own events. */
async function askedInterval(device: RawDevice): Promise<unknown> {
  const { parameters }: { parameters?: unknown } = await device.next(Type.START_STREAM);
  const { interval } = Object(parameters) as { interval?: unknown };
  return interval ?? parameters ?? 0;
}

describe('an iotmp-stream whose interval is blank', () => {
  it('is a new one; 0 keeps its meaning', () => {
    const read = (interval: unknown): unknown => settingReader(streamTable, { interval })('interval');
    assert.equal(streamTable.properties.interval.facts.default, '');
    assert.deepEqual(
      [read(''), read(undefined), read(0), read('0'), read(250)],
      [undefined, undefined, 0, 0, 250],
    );
    assert.throws(() => read(-1), { code: 'IOTMP_ERR_CONFIG' });
  });

  for (const [kind, fn, interval] of [
    ['an output', 3, 1000],
    ['an input', 2, 0],
    ['an input and output', 4, 0],
    ['a run', 1, 0],
    ['a resource of an unknown kind', undefined, 0],
  ] as const) {
    it(`has ${kind} sampled at ${interval} ms`, async () => {
      const bench = await start();
      assert.equal(await askedInterval(await connect(bench, fn)), interval);
      await bench.box().next();
      await bench.status('stream', 'green', 'status.streaming');
    });
  }

  it('gets more than one sample of an output of ordinary firmware', async () => {
    const bench = await start();
    await connect(bench, 3);
    await bench.box().next();
    await bench.box().next();
  });

  it('leaves an output to its own events where the interval is 0', async () => {
    const bench = await start(0);
    assert.equal(await askedInterval(await connect(bench, 3)), 0);
  });

  it('looks at the kind again when the device returns, and never runs an input unasked', async () => {
    const bench = await start();
    const first = await connect(bench, 3);
    assert.equal(await askedInterval(first), 1000);
    const gone = new Promise((resolve) => bench.server().once('disconnected', resolve));
    first.wire.cut();
    await gone;
    await bench.status('stream', 'yellow', 'status.offline');
    const second = await connect(bench, 2);
    await bench.status('stream', 'yellow', 'status.notReopened');
    await second.barrier();
    assert.deepEqual(second.acts, []);
  });

  it('streams an output of a server through a client each second', async () => {
    const bench = await FlowBench.start();
    await bench.load(
      serverNode(bench.port),
      clientNode(bench.port),
      resourceOutNode({ initial: '1' }),
      streamNode({ interval: '', via: 'client', client: 'client', server: '' }),
      sinkNode(),
    );
    await bench.box().next();
    await bench.box().next();
  });

  it('stops by a message while its device is away', async () => {
    const bench = await start();
    await bench.status('stream', 'yellow', 'status.offline');
    bench.send('stream', { action: 'stop' });
    await bench.status('stream', 'grey', 'status.stopped');
    const device = await connect(bench, 3);
    await device.barrier();
    assert.deepEqual(device.acts, []);
  });
});
