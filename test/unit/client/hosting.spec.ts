import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Scene } from './support';

describe('hosting', () => {
  it('answers calls and DESCRIBE of the server', async () => {
    const scene = new Scene();
    scene.client.host('gpio/:pin', {
      kind: 'inout',
      run: ({ captures, payload }) => [captures.pin, payload],
    });
    scene.client.host('uptime', { kind: 'output', run: () => 12 });
    await scene.open();
    assert.deepEqual((await scene.server.session.call('gpio/4', { payload: true })).payload, ['4', true]);
    assert.deepEqual((await scene.server.session.describe()).payload, {
      'gpio/:pin': { fn: 4 },
      uptime: { fn: 3 },
    });
    await scene.close();
  });

  it('has the same resources after a reconnect, and those that were added meanwhile', async () => {
    const scene = new Scene();
    scene.client.host('a', { kind: 'output', run: () => 'a' });
    const removed = scene.client.host('b', { kind: 'output', run: () => 'b' });
    await scene.open();
    scene.server.session.close();
    await scene.clock.settle();
    scene.client.host('c', { kind: 'output', run: () => 'c' });
    removed.remove();
    await scene.clock.advance(1000);
    const { payload } = await scene.server.session.describe();
    assert.deepEqual(payload, { a: { fn: 3 }, c: { fn: 3 } });
    assert.equal(scene.client.resources.size, 2);
    await scene.close();
  });

  it('publishes to the streams that the server has open', async () => {
    const scene = new Scene();
    let value = 1;
    const resource = scene.client.host('value', { kind: 'output', run: () => value });
    await scene.open();
    const samples: unknown[] = [];
    await scene.server.session.openStream('value', { onData: (payload) => samples.push(payload) });
    value = 2;
    resource.publish(value);
    await scene.clock.settle();
    assert.deepEqual(samples, [1, 2]);
    scene.server.session.close();
    await scene.clock.settle();
    assert.equal(resource.streamCount, 0);
    resource.publish(3);
    await scene.close();
  });

  it('warns of what a peer does wrong', async () => {
    const scene = new Scene();
    await scene.open();
    scene.server.session.transport.send(Buffer.from('06020811', 'hex').fill(0xff, 2));
    await scene.clock.settle();
    assert.equal(scene.warnings.length, 1);
    await scene.close();
  });
});
