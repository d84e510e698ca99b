import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import fc from 'fast-check';
import type { BridgeOptions } from '../../../../src/services/topics/topic-bridge';
import type { Handling } from '../../../../src/services/topics/topic-message';
import { payloadFromBytes, payloadToBytes } from '../../../../src/services/topics/topic-payload';
import type { Topics } from '../../../../src/services/topics/topics';
import { ServicesBench } from '../support';

/** A party that notes what it gets. */
class Party {
  readonly got: [string, string, boolean][] = [];
  readonly qos: number[] = [];
  connected = true;
  failure: Error | undefined;

  publish(topic: string, payload: Buffer, { retain, qos }: Handling): void {
    if (this.failure !== undefined) throw this.failure;
    this.qos.push(qos);
    this.got.push([topic, payload.toString(), retain]);
  }
}

async function scene(): Promise<{ bench: ServicesBench; topics: Topics; here: unknown[] }> {
  const bench = await ServicesBench.startWithTopics();
  const { topics } = bench.services;
  const here: unknown[] = [];
  for (const user of ['anna', 'bob']) {
    topics.subscribe(user, '#', ({ topic, payload }) => here.push([user, topic, payload]));
  }
  await new Promise((resolve) => setImmediate(resolve));
  return { bench, topics, here };
}

describe('topic bridge', () => {
  it('passes messages out under the name of their user, and in again', async () => {
    const { topics, here } = await scene();
    const party = new Party();
    const link = topics.attachBridge(party);
    assert.equal(link.filter, '+/#');
    await topics.publish('anna', 'a/b', { x: 1 });
    await topics.publish('bob', 'c', 'text', { retain: true });
    await topics.publish('bob', '$SYS/c', 'stays');
    assert.deepEqual(party.got, [
      ['anna/a/b', '{"x":1}', false],
      ['bob/c', 'text', true],
    ]);
    here.length = 0;
    assert.equal(link.receive('anna/d', Buffer.from('5')), true);
    assert.equal(link.receive('bob/d/e', Buffer.from([0xff])), true);
    assert.deepEqual(here, [
      ['anna', 'd', 5],
      ['bob', 'd/e', Buffer.from([0xff])],
    ]);
    assert.equal(party.got.length, 2, 'it does not go back');
  });

  it('takes what comes back from the other party for an echo, once for each message', async () => {
    const { bench, topics, here } = await scene();
    const party = new Party();
    const link = topics.attachBridge(party);
    await topics.publish('anna', 'a', 1);
    await topics.publish('anna', 'a', 1);
    await topics.publish('anna', 'a', 2);
    here.length = 0;
    const back = ['1', '2', '1', '1', '2'].map((text) => link.receive('anna/a', Buffer.from(text)));
    assert.deepEqual(back, [false, false, false, true, true]);
    assert.equal(here.length, 2);
    await topics.publish('anna', 'a', 3);
    await bench.broker.clock.advance(10_001);
    assert.equal(link.receive('anna/a', Buffer.from('3')), true, 'too late for an echo');
    const mute = topics.attachBridge(new Party(), { echoes: false });
    await topics.publish('anna', 'a', 4);
    assert.equal(mute.receive('anna/a', Buffer.from('4')), true, 'it sends nothing back');
  });

  it('has messages wait for a party that is away: those to be kept, and those with a qos', async () => {
    const { bench, topics } = await scene();
    const party = new Party();
    const link = topics.attachBridge(party);
    party.connected = false;
    await topics.publish('anna', 'state', 'old', { retain: true });
    await topics.publish('anna', 'alarm', 1, { qos: 1 });
    await topics.publish('anna', 'alarm', 2, { qos: 2 });
    await topics.publish('anna', 'telemetry', 1);
    await topics.publish('anna', 'telemetry', 2);
    await topics.publish('anna', 'state', 'new', { retain: true });
    assert.equal(party.got.length, 0);
    assert.deepEqual(bench.broker.warnings, ['bridge: there is no connection: messages are let go']);
    await bench.broker.clock.advance(60_000);
    party.connected = true;
    link.resume();
    link.resume();
    assert.deepEqual(party.got, [
      ['anna/alarm', '1', false],
      ['anna/alarm', '2', false],
      ['anna/state', 'new', true],
    ]);
    assert.deepEqual(party.qos, [1, 2, 0]);
    assert.equal(
      bench.broker.warnings.at(-1),
      'bridge: 2 messages were let go while there was no connection',
    );
    assert.equal(bench.broker.warnings.length, 2);
    assert.equal(link.receive('anna/alarm', Buffer.from('1')), false, 'the echo of a message that waited');
    await topics.publish('anna', 'telemetry', 3);
    assert.deepEqual(party.got.at(-1), ['anna/telemetry', '3', false]);
  });

  it('lets the oldest of many go that wait, and all of them when it ends', async () => {
    const { topics } = await scene();
    const party = new Party();
    const link = topics.attachBridge(party);
    party.connected = false;
    for (let n = 0; n < 600; n++) await topics.publish('anna', 'n', n, { qos: 1 });
    party.connected = true;
    link.resume();
    assert.deepEqual([party.got.length, party.got[0]?.[1], party.got.at(-1)?.[1]], [500, '100', '599']);
    party.connected = false;
    for (let n = 0; n < 3; n++) {
      await topics.publish('anna', 'large', 'x'.repeat(6 * 2 ** 20), { qos: 1 });
    }
    party.got.length = 0;
    link.resume();
    assert.equal(party.got.length, 2, 'no more than 16 MiB');
    await topics.publish('anna', 'n', 1, { qos: 1 });
    link.detach();
    link.resume();
    assert.equal(party.got.length, 2);
  });

  it('does not pass a message round between two servers, or two bridges', async () => {
    const one = await scene();
    const two = await scene();
    // Each of two servers hands what it gets to the other, as if one broker lay between.
    const links = [
      one.topics.attachBridge(
        { publish: (topic, payload) => void links[1]?.receive(topic, payload) },
        { echoes: false },
      ),
      two.topics.attachBridge(
        { publish: (topic, payload) => void links[0]?.receive(topic, payload) },
        { echoes: false },
      ),
    ];
    const third = new Party();
    two.topics.attachBridge(third);
    await one.topics.publish('anna', 'a', 1);
    assert.deepEqual([one.here, two.here], [[['anna', 'a', 1]], [['anna', 'a', 1]]]);
    assert.deepEqual(third.got, [['anna/a', '1', false]], 'other bridges get it');
  });

  it('has a prefix as it is told', async () => {
    const { topics, here } = await scene();
    const rows: [BridgeOptions, string, string, string[]][] = [
      [
        { prefix: 'iotmp/{user}/' },
        'iotmp/+/#',
        'iotmp/anna/t',
        ['other/anna/t', 'iotmp/anna', 'iotmp', 'iotmp//t'],
      ],
      [{ prefix: 'site/1/', user: 'anna' }, 'site/1/#', 'site/1/t', ['site/2/t', 'site/1', 'anna/t']],
      [{ prefix: '', user: 'anna' }, '#', 't', ['$SYS/t']],
      [{ prefix: '{user}/x/', user: 'anna' }, 'anna/x/#', 'anna/x/t', ['bob/x/t', '+/x/t', 'anna/x/$t']],
    ];
    for (const [options, filter, outer, foreign] of rows) {
      const party = new Party();
      const link = topics.attachBridge(party, { ...options, echoes: false });
      assert.equal(link.filter, filter);
      await topics.publish('anna', 't', 'x');
      assert.deepEqual(party.got, [[outer, 'x', false]]);
      if (options.user !== undefined) {
        await topics.publish('bob', 't', 'x');
        assert.equal(party.got.length, 1);
      }
      here.length = 0;
      assert.equal(link.receive(outer, Buffer.from('in')), true);
      assert.deepEqual(here, [['anna', 't', 'in']]);
      for (const topic of foreign) assert.equal(link.receive(topic, Buffer.from('in')), false, topic);
      link.detach();
    }
    for (const options of [
      { prefix: 'a' },
      { prefix: '{user}/{user}/' },
      { prefix: '+/' },
      { prefix: 'a/#/' },
      { prefix: 'a/' },
    ]) {
      assert.throws(() => topics.attachBridge(new Party(), options), { code: 'IOTMP_ERR_CONFIG' });
    }
  });

  it('keeps what came to be kept', async () => {
    const { topics } = await scene();
    const link = topics.attachBridge(new Party());
    link.receive('anna/a', Buffer.from('1'), { retain: true });
    link.receive('anna/b', Buffer.from('2'), { retain: true });
    link.receive('anna/b', Buffer.alloc(0), { retain: true });
    const got: unknown[] = [];
    topics.subscribe('anna', '#', ({ topic, payload }) => got.push([topic, payload]));
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(got, [['a', 1]]);
  });

  it('says what goes wrong, but not without an end, and goes on', async () => {
    const { bench, topics, here } = await scene();
    const party = new Party();
    const link = topics.attachBridge(party);
    party.failure = new Error('not connected');
    for (let i = 0; i < 3; i++) await topics.publish('anna', 'a', i);
    assert.equal(link.receive('anna/a', Buffer.from('2')), true, 'it was not sent, so it is no echo');
    assert.equal(link.receive(`anna/${'x'.repeat(2000)}`, Buffer.from('2')), false);
    assert.equal(link.receive('anna/a+', Buffer.from('2')), false);
    await topics.publish('no/level', 'a', 1);
    const { warnings } = bench.broker;
    assert.equal(warnings.length, 6);
    assert.match(warnings[2] ?? '', /bridge: a message was not sent: not connected/);
    assert.match(warnings[3] ?? '', /bridge: a message for anna\/x+ was not taken/);
    assert.match(warnings[5] ?? '', /no level of a topic/);
    for (let i = 0; i < 100; i++) link.receive(`anna/${i}+`, Buffer.from('2'));
    assert.equal(warnings.length, 10);
    assert.equal(here.length, 4);
  });

  it('ends when it is detached, or the topics end', async () => {
    const { topics, here } = await scene();
    const party = new Party();
    const link = topics.attachBridge(party);
    const other = topics.attachBridge(party);
    link.detach();
    link.detach();
    assert.equal(link.receive('anna/a', Buffer.from('1')), false);
    topics.close();
    assert.equal(other.receive('anna/a', Buffer.from('1')), false);
    assert.throws(() => topics.attachBridge(party), { code: 'IOTMP_ERR_CLOSED' });
    assert.deepEqual([party.got, here], [[], []]);
  });
});

describe('payloads as bytes', () => {
  it('are JSON, texts, bytes or nothing', () => {
    const rows: [Parameters<typeof payloadToBytes>[0], string][] = [
      [null, ''],
      ['', ''],
      ['text', 'text'],
      [5, '5'],
      [true, 'true'],
      [2n ** 60n, '1152921504606846976'],
      [{ rom: 2n ** 60n }, '{"rom":"1152921504606846976"}'],
      [[1, null, Buffer.from('ab')], '[1,null,"YWI="]'],
      [{ a: { b: 1.5 } }, '{"a":{"b":1.5}}'],
    ];
    for (const [payload, text] of rows) assert.equal(payloadToBytes(payload).toString(), text);
    const bytes = Buffer.from([0xff, 0]);
    assert.deepEqual(payloadToBytes(bytes), bytes);
  });

  it('come back as what they were, where they were JSON', () => {
    const maps = fc.dictionary(
      fc.string({ unit: 'grapheme' }),
      fc.oneof(fc.integer(), fc.string({ unit: 'grapheme' }), fc.boolean()),
    );
    fc.assert(
      fc.property(fc.oneof(fc.integer(), fc.boolean(), maps), (value) => {
        assert.deepEqual(JSON.stringify(payloadFromBytes(payloadToBytes(value))), JSON.stringify(value));
      }),
    );
    assert.equal(payloadFromBytes(payloadToBytes(2n ** 60n)), 2n ** 60n);
    assert.equal(payloadFromBytes(Buffer.from('{broken')), '{broken');
    assert.equal(payloadFromBytes(Buffer.from('null')), 'null');
    assert.equal(payloadFromBytes(Buffer.alloc(0)), null);
    assert.deepEqual(payloadFromBytes(Buffer.from([0xc3])), Buffer.from([0xc3]));
  });

  it('of a text that looks like something else come out as they went in', () => {
    const texts = [
      '89014103211118510720',
      '4294967295000000001',
      '490154203237518',
      '007',
      '21.50',
      '1e3',
      '-0',
      '"Open"',
      '0x1c',
      ' 5',
      'true',
    ];
    for (const text of texts)
      assert.equal(payloadToBytes(payloadFromBytes(Buffer.from(text))).toString(), text);
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[-+"]?[\d.eE]{1,24}"?$/)), (text) => {
        const value = payloadFromBytes(Buffer.from(text));
        if (typeof value === 'object' && value !== null) return;
        assert.equal(payloadToBytes(value).toString(), text);
      }),
    );
  });

  it('have all digits of the whole numbers in their JSON', () => {
    assert.deepEqual(
      payloadFromBytes(Buffer.from('{"card":4294967295000000001,"iccid":89014103211118510720}')),
      {
        card: 4294967295000000001n,
        iccid: '89014103211118510720',
      },
    );
  });
});
