import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { GatewayBench } from './support/gateway-bench';

const V1 = '/v1/users/anna/events';
const V2 = '/v2/users/anna/events';
const GREEN = { event: 'device_callback_call', user: 'anna', ts: 1, device: 'esp32', payload: { a: [1] } };

describe('events socket, version 1', () => {
  it('sends the bare events that match, and no word else', async () => {
    const bench = await GatewayBench.start();
    const socket = await bench.socket(V1);
    socket.send({ event: 'device_state_change', device: 'pu.*', state: 'connected|disconnected' });
    await socket.synced();
    const device = await bench.device();
    await bench.broker.device({ device: 'lamp', credential: 'light' });
    device.wire.cut();
    await bench.until(() => socket.frames.length === 2);
    assert.deepEqual(
      socket.messages.map(({ event, user, device: name, state, ts }) => [
        event,
        user,
        name,
        state,
        typeof ts,
      ]),
      [
        ['device_state_change', 'anna', 'pump', 'connected', 'number'],
        ['device_state_change', 'anna', 'pump', 'disconnected', 'number'],
      ],
    );
  });

  it('matches whole values, fields that are there, and members of lists', async () => {
    const bench = await GatewayBench.start();
    const filters: [Record<string, unknown>, boolean][] = [
      [{}, true],
      [{ event: '.*' }, true],
      [{ event: 'device_.*', device: '' }, true],
      [{ event: 'device' }, false],
      [{ event: 'call' }, false],
      [{ device: 'esp\\d+' }, true],
      [{ ts: 1 }, true],
      [{ state: '.*' }, false],
      [{ tags: 'b' }, true],
      [{ tags: 'c' }, false],
    ];
    for (const [filter, isWanted] of filters) {
      const socket = await bench.socket(V1);
      socket.send(filter);
      await socket.synced();
      bench.server.events.publish({ ...GREEN, tags: ['a', 'b'] });
      bench.server.events.publish({ ...GREEN, user: 'bert' });
      await socket.synced();
      assert.deepEqual(
        socket.messages,
        isWanted ? [{ ...GREEN, tags: ['a', 'b'] }] : [],
        JSON.stringify(filter),
      );
    }
  });

  it('says of which product, type and group a device is that was made over the API', async () => {
    const bench = await GatewayBench.start();
    const valve = { device: 'valve', credentials: 'turn-turn', product: 'p1', asset_group: 'g1' };
    await bench.post('/v1/users/anna/devices', valve);
    const socket = await bench.socket(V1);
    socket.send({ product: 'p1', event: 'device_.*' });
    await socket.synced();
    await bench.broker.device({ device: 'valve', credential: 'turn-turn' });
    await bench.device();
    await bench.until(() => socket.frames.length === 1);
    await socket.synced();
    assert.equal(socket.frames.length, 1);
    const [{ event, device, product, asset_type: type, asset_group: group } = {}] = socket.messages;
    assert.deepEqual([event, device, product, type, group], ['device_state_change', 'valve', 'p1', '', 'g1']);
  });

  it('is silent before it is told what is wanted', async () => {
    const bench = await GatewayBench.start();
    const socket = await bench.socket(V1);
    bench.server.events.publish(GREEN);
    await socket.synced();
    assert.deepEqual(socket.frames, []);
  });

  it('ends over a pattern that is none', async () => {
    const bench = await GatewayBench.start();
    for (const frame of [{ event: '(' }, { event: '(?=x)' }, { event: {} }, 'x', '["a"]']) {
      const socket = await bench.socket(V1);
      socket.send(frame);
      await bench.until(() => socket.closeCode !== undefined);
      assert.equal(socket.closeCode, 1007);
    }
  });
});

describe('events socket, version 2', () => {
  it('answers subscriptions, adds them up, and ends them', async () => {
    const bench = await GatewayBench.start();
    const socket = await bench.socket(V2);
    const order = { event: 'device_callback_call', filters: { device: ['esp32', 'other'] } };
    socket.send(order);
    socket.send({ event: 'device_delete' });
    await bench.until(() => socket.frames.length === 2);
    assert.deepEqual(socket.messages[0], { success: true, registered: order });
    bench.server.events.publish(GREEN);
    bench.server.events.publish({ ...GREEN, device: 'esp' });
    bench.server.events.publish({ ...GREEN, event: 'device_delete' });
    await bench.until(() => socket.frames.length === 4);
    assert.deepEqual(socket.messages.slice(2), [GREEN, { ...GREEN, event: 'device_delete' }]);
    socket.send({ ...order, enabled: false });
    await bench.until(() => socket.frames.length === 5);
    assert.deepEqual(socket.messages[4], { success: true, unregistered: order });
    bench.server.events.publish(GREEN);
    socket.send({ nonsense: true });
    await bench.until(() => socket.frames.length === 6);
    assert.equal(socket.messages[5]?.success, false);
  });

  it('streams a resource of all devices that have it, also of those that come later', async () => {
    const bench = await GatewayBench.start();
    const pump = await bench.device({ temp: { fn: 3, run: () => 1 } });
    const socket = await bench.socket(V2);
    socket.send({
      event: 'device_resource_stream',
      filters: { resource: 'temp' },
      params: { interval: 5000 },
    });
    await bench.until(() => socket.frames.length === 2);
    const { ts, ...sample } = socket.messages[1]!;
    assert.equal(typeof ts, 'number');
    assert.deepEqual(sample, {
      event: 'device_resource_stream',
      user: 'anna',
      device: 'pump',
      resource: 'temp',
      signal: 'data',
      payload: 1,
    });
    assert.equal([...pump.streams.values()][0]?.interval, 5000);
    const lamp = await bench.device(
      { temp: { fn: 3, run: () => 2 } },
      { device: 'lamp', credential: 'light' },
    );
    await bench.until(() => socket.frames.length === 3);
    assert.equal(socket.messages[2]?.device, 'lamp');
    socket.webSocket.close();
    await bench.until(() => pump.streams.size === 0 && lamp.streams.size === 0);
  });

  it('opens no input of any device', async () => {
    const bench = await GatewayBench.start();
    const device = await bench.device({
      relay: { fn: 2, run: () => undefined },
      both: { fn: 4, run: () => 1 },
    });
    const socket = await bench.socket(V2);
    socket.send({ event: 'device_resource_stream', filters: { resource: ['relay', 'both', 'none'] } });
    await bench.until(() => socket.frames.length === 1);
    await device.barrier();
    await bench.broker.clock.settle();
    assert.deepEqual(device.acts, []);
    socket.send({ event: 'device_resource_stream' });
    await bench.until(() => socket.frames.length === 2);
    assert.equal(socket.messages[1]?.success, false);
  });
});
