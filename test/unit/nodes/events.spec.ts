import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { RawDevice } from '../support/raw-device';
import { tcpWire } from '../support/raw-wire';
import { FlowBench, type Message } from './support/flow-bench';
import { clientNode, eventsNode, LAMP, PUMP, serverNode, sinkNode } from './support/flows';

async function start(properties: Record<string, unknown> = {}): Promise<FlowBench> {
  const bench = await FlowBench.start();
  await bench.load(serverNode(bench.port), eventsNode(properties), sinkNode());
  await bench.listening();
  return bench;
}

/** A login that is refused. */
async function fail(bench: FlowBench, device: string): Promise<void> {
  const refused = new RawDevice(bench.track(await tcpWire(bench.port)), { device, credential: 'wrong' });
  refused.connect();
  await refused.serverEnded;
}

/** The event without what no test can foresee. */
function eventOf({ payload }: Message): Record<string, unknown> {
  const { ts, address, ...event } = payload as Record<string, unknown>;
  assert.ok(typeof ts === 'number' && Math.abs(Date.now() - ts) < 10_000);
  assert.match(String(address), /^(::ffff:)?127\.0\.0\.1:\d+$/);
  return event;
}

describe('iotmp-events', () => {
  it('tells that devices come and go', async () => {
    const bench = await start();
    const device = await bench.device();
    const came = await bench.box().next();
    assert.deepEqual([came.topic, came.user, came.device], ['device_state_change', 'anna', 'pump']);
    assert.deepEqual(eventOf(came), {
      event: 'device_state_change',
      user: 'anna',
      device: 'pump',
      state: 'connected',
    });
    device.wire.cut();
    const { reason, ...went } = eventOf(await bench.box().next());
    assert.deepEqual(went, {
      event: 'device_state_change',
      user: 'anna',
      device: 'pump',
      state: 'disconnected',
    });
    assert.equal(typeof reason, 'string');
  });

  it('tells of a take-over: the old connection goes, the new one comes', async () => {
    const bench = await start();
    await bench.device();
    await bench.device();
    const states: unknown[] = [];
    for (let i = 0; i < 3; i++) states.push(eventOf(await bench.box().next()).state);
    assert.deepEqual(states, ['connected', 'disconnected', 'connected']);
  });

  it('tells of failed logins, without the credential', async () => {
    const bench = await start();
    await fail(bench, 'stranger');
    const message = await bench.box().next();
    const { reason, ...event } = eventOf(message);
    assert.deepEqual(event, {
      event: 'device_authentication_failed',
      user: 'anna',
      device: 'stranger',
      type: 'credentials',
      transport: 'tcp',
    });
    assert.equal(typeof reason, 'string');
    assert.equal(message.topic, 'device_authentication_failed');
    assert.ok(!JSON.stringify(message).includes('wrong"'));
  });

  it('lets the chosen events pass', async () => {
    const bench = await start({ events: ['device_authentication_failed'] });
    await bench.device();
    await fail(bench, 'stranger');
    assert.equal((await bench.box().next()).topic, 'device_authentication_failed');
    assert.equal(bench.box().all.length, 1);
  });

  for (const device of ['lamp', 'anna/lamp']) {
    it(`lets the events of the device ${device} pass`, async () => {
      const bench = await start({ device });
      await bench.device(PUMP);
      await bench.device(LAMP);
      assert.equal((await bench.box().next()).device, 'lamp');
      assert.equal(bench.box().all.length, 1);
    });
  }

  it('lets the messages of the wanted topics pass, and all other events', async () => {
    const bench = await start({ topic: ' home/+/light ' });
    const { topics } = bench.services();
    for (const topic of ['home/light', 'home/hall/light', 'home/hall/lamp/light', 'home//light']) {
      await topics.publish('anna', topic, topic);
    }
    await bench.device();
    const seen: unknown[] = [];
    for (let i = 0; i < 3; i++) {
      const { topic, payload } = await bench.box().next();
      seen.push(topic === 'device_topic_publish' ? (payload as { topic: string }).topic : topic);
    }
    assert.deepEqual(seen, ['home/hall/light', 'home//light', 'device_state_change']);
  });

  it('has a topic that is no filter: red, with the reason', async () => {
    const bench = await FlowBench.start();
    await bench.load(serverNode(bench.port), eventsNode({ topic: 'home/#/light' }), sinkNode());
    await bench.status('events', 'red', 'the wildcard + takes a whole level');
    assert.equal(bench.log('error', 'events').length, 1);
  });

  it('ends with its node', async () => {
    const bench = await start();
    const server = bench.server();
    const before = server.events.size;
    const { credentials: _, ...unchanged } = serverNode(bench.port);
    await bench.deploy('nodes', unchanged, sinkNode());
    assert.equal(server.events.size, before - 1);
    await bench.device();
    assert.equal(bench.box().all.length, 0);
  });

  it('works through a server only', async () => {
    const bench = await FlowBench.start();
    await bench.load(
      clientNode(bench.port),
      eventsNode({ via: 'client', client: 'client', server: '' }),
      sinkNode(),
    );
    await bench.status('events', 'red');
    assert.equal(bench.log('error', 'events').length, 1);
  });
});
