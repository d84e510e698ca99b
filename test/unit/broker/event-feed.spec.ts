import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { EventFeed, type ServerEvent } from '../../../src/broker/event-feed';
import { BrokerBench } from '../support/broker-fixture';
import { assertRefused } from '../support/login';

const EVENT: ServerEvent = { event: 'test', user: 'anna', ts: 1 };
const unexpected = (text: string): never => assert.fail(text);

describe('event feed', () => {
  it('tells each listener of each event, until it is ended', () => {
    const feed = new EventFeed(unexpected);
    const told: string[] = [];
    const endFirst = feed.listen(({ ts }) => told.push(`first ${ts}`));
    const endSecond = feed.listen(({ ts }) => told.push(`second ${ts}`));
    feed.publish(EVENT);
    endFirst();
    endFirst();
    feed.publish({ ...EVENT, ts: 2 });
    endSecond();
    feed.publish({ ...EVENT, ts: 3 });
    assert.deepEqual(told, ['first 1', 'second 1', 'second 2']);
  });

  it('lets one function listen twice, and end the one without the other', () => {
    const feed = new EventFeed(unexpected);
    let times = 0;
    const listener = (): void => {
      times++;
    };
    const endOne = feed.listen(listener);
    feed.listen(listener);
    feed.publish(EVENT);
    endOne();
    feed.publish(EVENT);
    assert.equal(times, 3);
  });

  it('tells the others when a listener throws, and warns', () => {
    const warnings: string[] = [];
    const feed = new EventFeed((text) => warnings.push(text));
    let told = false;
    feed.listen(() => {
      throw new Error('a bug in a flow');
    });
    feed.listen(() => {
      told = true;
    });
    feed.publish(EVENT);
    assert.ok(told);
    assert.deepEqual(warnings, ['a listener of test failed: a bug in a flow']);
  });

  it('may be listened to and left by a listener that is being told', () => {
    const feed = new EventFeed(unexpected);
    let times = 0;
    const again = (): void => {
      times++;
      end();
      end = feed.listen(again);
    };
    let end = feed.listen(again);
    feed.publish(EVENT);
    assert.equal(times, 1);
  });
});

describe('events of a server', () => {
  it('are the coming and going of devices, and logins that fail', async () => {
    const bench = await BrokerBench.start();
    const events: ServerEvent[] = [];
    bench.server.events.listen((event) => events.push(event));
    const device = await bench.device();
    device.wire.cut();
    await device.closed;
    await assertRefused(bench, { credential: 'wrong' });
    await bench.clock.settle();
    assert.deepEqual(
      events.map(({ ts: _ts, address: _address, reason: _reason, transport: _transport, ...rest }) => rest),
      [
        { event: 'device_state_change', user: 'anna', device: 'pump', state: 'connected' },
        { event: 'device_state_change', user: 'anna', device: 'pump', state: 'disconnected' },
        { event: 'device_authentication_failed', user: 'anna', device: 'pump', type: 'credentials' },
      ],
    );
    for (const { ts } of events) assert.ok(Math.abs(Date.now() - ts) < 60_000);
  });
});
