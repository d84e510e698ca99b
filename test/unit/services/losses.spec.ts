import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { ServerServices } from '../../../src';
import { cleanUp } from '../../support/clean-up';
import { BrokerBench, PUMP } from '../support/broker-fixture';
import { knock } from '../support/login';
import { hex, Type } from '../support/raw-message';

async function start(): Promise<{ bench: BrokerBench; services: ServerServices }> {
  const bench = await BrokerBench.start();
  const services = new ServerServices(bench.server);
  cleanUp(() => services.close());
  return { bench, services };
}

describe('the losses of a server', () => {
  it('are none at first', async () => {
    const { services } = await start();
    assert.deepEqual(
      Object.entries(services.losses.counts).filter(([, count]) => count !== 0),
      [],
    );
  });

  it('count refused logins, take-overs, and connections that the server cut', async () => {
    const { bench, services } = await start();
    await knock(bench, { credential: 'wrong' });
    assert.equal(services.losses.counts.login, 1);
    await bench.device();
    const device = await bench.device();
    assert.equal(services.losses.counts.takeover, 1);
    assert.equal(services.losses.counts.connection, 0, 'a take-over is no cut');
    // Silent for the keep-alive and half of it.
    await bench.clock.advance(91_000);
    await device.closed;
    assert.equal(services.losses.counts.connection, 1);
    const left = await bench.device();
    left.wire.cut();
    await bench.until(() => bench.server.deviceCount === 0);
    assert.equal(services.losses.counts.connection, 1, 'a device that goes is no cut');
  });

  it('count messages that do not decode or are of no known type, also of devices that have gone', async () => {
    const { bench, services } = await start();
    const device = await bench.device();
    device.send(hex('1f00'));
    device.send(hex('06 02 | 08 ff'));
    await device.barrier();
    assert.equal(services.losses.counts.message, 2);
    device.wire.cut();
    await bench.until(() => bench.server.deviceCount === 0);
    assert.equal(services.losses.counts.message, 2);
  });

  it('count samples that come faster than was asked for', async () => {
    const { bench, services } = await start();
    const device = await bench.device();
    device.resources.set('level', { fn: 3, run: () => 0 });
    bench.server.subscribe(PUMP, 'level', { intervalMs: 1000, onSample: () => undefined });
    const { id = 0 } = await device.next(Type.START_STREAM);
    for (let i = 0; i < 10; i++) device.sample(id, i);
    await device.barrier();
    // Four pass although they are early, and the newest waits until it is due.
    assert.equal(services.losses.counts.surplus, 5);
  });

  it('count messages that a bridge cannot pass on', async () => {
    const { services } = await start();
    const link = services.topics.attachBridge(
      { connected: false, publish: () => assert.fail('there is no connection') },
      { prefix: '{user}/' },
    );
    cleanUp(() => link.detach());
    await services.topics.publish('anna', 'a', 1);
    await services.topics.publish('anna', 'b', 1, { qos: 1 });
    assert.equal(services.losses.counts.bridge, 1, 'a message with a qos waits');
    assert.equal(link.receive('anna/\u0000', Buffer.from('1')), false);
    assert.equal(services.losses.counts.bridge, 2);
  });

  it('count refused rows and services by their events', async () => {
    const { bench, services } = await start();
    const event = { user: 'anna', ts: 0 };
    bench.server.events.publish({ ...event, event: 'bucket_write_refused' });
    bench.server.events.publish({ ...event, event: 'device_service_refused' });
    bench.server.events.publish({ ...event, event: 'device_service_refused' });
    const { row, service } = services.losses.counts;
    assert.deepEqual([row, service], [1, 2]);
  });

  it('are counted by others, too, until they end that', async () => {
    const { services } = await start();
    const end = services.losses.attach('frame', () => 7);
    assert.equal(services.losses.counts.frame, 7);
    end();
    assert.equal(services.losses.counts.frame, 0);
  });
});
