import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { MessageFeeds, type FeedSocket } from '../../../src/gateway/sockets/message-feed';
import { GatewayBench } from './support/gateway-bench';

/** A reader that takes frames only while it reads. */
class Reader implements FeedSocket {
  onDrain: (() => void) | undefined = undefined;
  readonly frames: string[] = [];
  reads = true;
  lost = 0;
  readonly feeds = new MessageFeeds(this, (count) => (this.lost += count));

  pass(frame: string | Uint8Array): boolean {
    this.frames.push(String(frame));
    return this.reads;
  }

  readOn(): void {
    this.reads = true;
    this.onDrain?.();
  }
}

const KIB = 'x'.repeat(1020);

function frame(n: number): string {
  return `${String(n).padStart(4, '0')}${KIB}`;
}

describe('events to a program that reads too slowly', () => {
  it('wait in order up to 1 MiB; past that the oldest is lost, counted and told', () => {
    const reader = new Reader();
    const feed = reader.feeds.open((lost) => `lost ${lost}`);
    feed.send(frame(0));
    reader.reads = false;
    for (let n = 1; n <= 1500; n++) feed.send(frame(n));
    assert.equal(reader.frames.length, 2, 'the frame at which the reader stopped');
    assert.equal(reader.lost, 475);
    reader.readOn();
    const numbers = reader.frames.slice(2, -1).map((one) => Number(one.slice(0, 4)));
    assert.deepEqual(
      numbers,
      Array.from({ length: 1024 }, (_, n) => 477 + n),
    );
    assert.equal(reader.frames.at(-1), 'lost 475');
    feed.send('and on');
    assert.equal(reader.frames.at(-1), 'and on');
  });

  it('of several subscriptions come in turn, and have 1 MiB each', () => {
    const reader = new Reader();
    const feeds = ['a', 'b'].map((name) => ({
      name,
      feed: reader.feeds.open((lost) => `${name} lost ${lost}`),
    }));
    reader.reads = false;
    feeds[0]?.feed.send('first');
    for (let n = 0; n < 1000; n++) for (const { feed } of feeds) feed.send(frame(n));
    assert.equal(reader.lost, 0);
    feeds[1]?.feed.close();
    reader.readOn();
    assert.equal(reader.frames.length, 1001);
  });

  it('are bounded for all subscriptions of a socket together', () => {
    const reader = new Reader();
    reader.reads = false;
    const feeds = Array.from({ length: 40 }, () => reader.feeds.open((lost) => `lost ${lost}`));
    for (let n = 0; n < 1000; n++) for (const feed of feeds) feed.send(frame(n));
    reader.readOn();
    const kept = reader.frames.filter((one) => !one.startsWith('lost')).length;
    assert.ok(kept <= 16 * 1024 + 1, `${kept} KiB waited`);
    assert.equal(kept + reader.lost, 40_000);
  });

  for (const path of ['/v1/users/anna/events', '/v2/users/anna/events']) {
    it(`all come in a burst to one that reads, over ${path}`, async () => {
      const bench = await GatewayBench.start();
      const socket = await bench.socket(path);
      socket.send({ event: 'device_callback_call' });
      if (path.startsWith('/v2')) await bench.until(() => socket.frames.length === 1);
      else await socket.synced();
      const before = socket.frames.length;
      const publish = (n: number): void =>
        bench.server.events.publish({ event: 'device_callback_call', user: 'anna', ts: n, payload: KIB });
      for (let n = 0; n < 900; n++) publish(n);
      await bench.until(() => socket.frames.length === before + 900);
      assert.deepEqual(
        socket.messages.slice(-900).map(({ ts }) => ts),
        Array.from({ length: 900 }, (_, n) => n),
      );
    });
  }
});
