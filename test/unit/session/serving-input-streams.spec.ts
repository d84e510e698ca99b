import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { MessageType } from '../../../src/codec/constants';
import { endQuietly } from '../support/session-pair';
import { data, ok, rigWith, sample, start } from './peer-stream';

const { STREAM_DATA } = MessageType;

describe('A stream on an input, or an input and output', () => {
  it('does nothing until data comes, then runs with it and sends what it gives', async () => {
    const seen: unknown[] = [];
    const rig = await rigWith({
      kind: 'inout',
      run({ payload }) {
        seen.push(payload);
        return payload === 'quiet' ? undefined : { got: payload };
      },
    });
    assert.deepEqual(await start(rig, { parameters: 100 }), [ok]);
    await rig.clock.advance(1000);
    assert.deepEqual(seen, []);
    assert.deepEqual(await data(rig, true), [sample({ got: true })]);
    assert.deepEqual(await data(rig, 'quiet'), []);
    assert.deepEqual(await data(rig, undefined), [sample({})]);
    assert.deepEqual(seen, [true, 'quiet', undefined]);
    rig.resource.publish('state');
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), []);
    await endQuietly(rig);
  });

  it('carries what is published, where it has no interval', async () => {
    const rig = await rigWith({ kind: 'input', run: () => undefined });
    await start(rig);
    rig.resource.publish(true);
    await rig.clock.settle();
    assert.deepEqual(rig.peer.take(), [sample(true)]);
    await endQuietly(rig);
  });

  it('takes many messages at once where the resource is quick', async () => {
    const seen: unknown[] = [];
    const rig = await rigWith({ kind: 'input', run: ({ payload }) => void seen.push(payload) });
    await start(rig);
    const inputs = Array.from({ length: 1000 }, (_, index) => index);
    rig.peer.send(...inputs.map((payload) => ({ type: STREAM_DATA, streamId: 161, payload })));
    await rig.clock.settle();
    assert.deepEqual(seen, inputs);
    assert.deepEqual(rig.warnings, []);
    await endQuietly(rig);
  });

  it('drops what would be too much at once where the resource is slow', async () => {
    let runs = 0;
    const run = (): Promise<unknown> => {
      runs++;
      return new Promise(() => undefined);
    };
    const rig = await rigWith({ kind: 'input', run }, { maxConcurrentCalls: 3 });
    await start(rig);
    for (let index = 0; index < 10; index++) await data(rig, index);
    assert.equal(runs, 3);
    assert.match(rig.warnings[0] ?? '', /too many calls/);
    await endQuietly(rig);
  });

  it('outlives data that makes the resource fail', async () => {
    const rig = await rigWith({
      kind: 'input',
      run({ payload }) {
        if (payload === 1) throw new Error('sync');
        return payload === 2 ? Promise.reject(new Error('async')) : payload;
      },
    });
    await start(rig);
    assert.deepEqual(await data(rig, 1), []);
    assert.deepEqual(await data(rig, 2), []);
    assert.deepEqual(await data(rig, 3), [sample(3)]);
    assert.deepEqual(rig.warnings, ['stream of r: sync', 'stream of r: async']);
    await endQuietly(rig);
  });
});
