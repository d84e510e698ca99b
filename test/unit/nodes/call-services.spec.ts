import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Answer, type TopicMessage } from '../../../src';
import { FlowBench, type Message } from './support/flow-bench';
import { callNode, catchNodes, serverNode, sinkNode } from './support/flows';
import { Recording } from './support/recording';

/** Some day: rows of long ago are refused. */
const DAY = Date.UTC(2026, 0, 5);

const PUMP = { user: 'anna', device: 'pump' };

/** A call node that asks a service, of nobody's device unless one is given. */
async function start(properties: Record<string, unknown>): Promise<FlowBench> {
  const bench = await FlowBench.start();
  const node = callNode({ device: '', resource: 'config', ...properties });
  await bench.load(serverNode(bench.port), node, sinkNode(), ...catchNodes());
  return bench;
}

/** The message that comes out for one that goes in. */
async function ask(bench: FlowBench, message: Record<string, unknown> = {}): Promise<Message> {
  bench.send('call', message);
  return bench.box().next();
}

async function codeOf(bench: FlowBench, message: Record<string, unknown> = {}): Promise<string | undefined> {
  bench.send('call', message);
  return (await bench.error()).code;
}

describe('iotmp-call of a property', () => {
  it('gets one of a device', async () => {
    const bench = await start({ service: 'property', device: 'pump' });
    await bench.services().properties.set(PUMP, 'config', { rate: 3, raw: Buffer.from([1]) });
    const { _msgid, ...message } = await ask(bench, { payload: 'old', topic: 'kept' });
    assert.equal(typeof _msgid, 'string');
    assert.deepEqual(message, {
      payload: { rate: 3, raw: Buffer.from([1]) },
      statusCode: 200,
      user: 'anna',
      device: 'pump',
      resource: 'config',
      topic: 'kept',
    });
  });

  it('gets null and 404 where there is none', async () => {
    const bench = await start({ service: 'property', action: 'get', device: 'pump' });
    const { payload, statusCode } = await ask(bench, { payload: 1 });
    assert.deepEqual([payload, statusCode], [null, 404]);
  });

  it("sets, lists and deletes the user's own where the device is blank", async () => {
    const bench = await start({
      service: 'property',
      action: 'set',
      payload: '{"on":true}',
      payloadType: 'json',
    });
    const answer = await ask(bench, { device: 'not this' });
    assert.deepEqual([answer.payload, answer.device, answer.user], [{ on: true }, 'not this', 'anna']);
    const { properties } = bench.services();
    assert.deepEqual((await properties.get({ user: 'anna' }, 'config'))?.value, { on: true });
    assert.equal(await properties.get({ user: 'anna', device: 'not this' }, 'config'), undefined);
  });

  it('lists those of a device', async () => {
    const bench = await start({
      service: 'property',
      action: 'list',
      device: 'pump',
      resource: '',
      params: '{"limit":2,"offset":1}',
    });
    for (const name of ['a', 'b', 'c', 'd']) await bench.services().properties.set(PUMP, name, name);
    const { payload } = await ask(bench);
    assert.ok(Array.isArray(payload));
    const list = payload as { name: string; value: unknown; created: unknown }[];
    assert.deepEqual(
      list.map(({ name, value }) => [name, value]),
      [
        ['b', 'b'],
        ['c', 'c'],
      ],
    );
    assert.equal(typeof list[0]?.created, 'number');
  });

  it('deletes, and tells whether there was one', async () => {
    const bench = await start({ service: 'property', action: 'delete', device: 'pump' });
    await bench.services().properties.set(PUMP, 'config', 1);
    assert.equal((await ask(bench)).payload, true);
    assert.equal((await ask(bench)).payload, false);
  });

  it('takes its name from the message', async () => {
    const bench = await start({
      service: 'property',
      action: 'set',
      resource: 'topic',
      resourceType: 'msg',
    });
    assert.equal((await ask(bench, { topic: 'limit', payload: 4 })).resource, 'limit');
    assert.equal((await bench.services().properties.get({ user: 'anna' }, 'limit'))?.value, 4);
    assert.equal(await codeOf(bench, { topic: 'no name', payload: 4 }), 'IOTMP_ERR_PROTOCOL');
    assert.equal(await codeOf(bench, { payload: 4 }), 'IOTMP_ERR_CONFIG');
    assert.equal(await codeOf(bench, { topic: 'limit', payload: () => 1 }), 'IOTMP_ERR_ENCODE');
    assert.equal(await codeOf(bench, { topic: 'limit' }), 'IOTMP_ERR_NO_INPUT');
  });
});

describe('iotmp-call of a data bucket', () => {
  it('writes a row, and makes the bucket with the first one', async () => {
    const bench = await start({ service: 'bucket', resource: 'climate', device: 'pump' });
    const row = { temperature: 21.5 };
    assert.deepEqual((await ask(bench, { payload: row })).payload, row);
    await ask(bench, { payload: { temperature: 22 } });
    const { rows } = await bench.services().buckets.range({ user: 'anna', bucket: 'climate' });
    assert.deepEqual(
      rows.map(({ device, value }) => [device, value]),
      [
        ['pump', row],
        ['pump', { temperature: 22 }],
      ],
    );
  });

  it('writes many rows of times and devices of their own', async () => {
    const bench = await start({ service: 'bucket', action: 'write', resource: 'climate' });
    const value = { v: 1 };
    await ask(bench, {
      payload: [
        { ts: DAY + 1000, value },
        { ts: '2026-01-05T00:00:02Z', device: 'lamp', value },
        { ts: new Date(DAY + 3000), value },
      ],
    });
    const { rows } = await bench.services().buckets.range({ user: 'anna', bucket: 'climate' });
    assert.deepEqual(rows, [
      { ts: DAY + 1000, value },
      { ts: DAY + 2000, device: 'lamp', value },
      { ts: DAY + 3000, value },
    ]);
  });

  it('reads rows by what the parameters say', async () => {
    const bench = await start({ service: 'bucket', action: 'read', params: 'query', paramsType: 'msg' });
    const key = { user: 'anna', bucket: 'config' };
    await bench.services().buckets.define(key, {});
    const rows = [1, 2, 3, 4].map((n) => ({
      ts: DAY + n * 1000,
      device: n % 2 === 0 ? 'lamp' : 'pump',
      value: { n },
    }));
    await bench.services().buckets.write(key, rows);
    assert.deepEqual((await ask(bench)).payload, rows);
    const query = { minTs: new Date(DAY + 2000), maxTs: '2026-01-05T00:00:04Z', sort: 'desc', limit: 2 };
    const first = await ask(bench, { query });
    assert.deepEqual(first.payload, [rows[3], rows[2]]);
    const rest = await ask(bench, { query: { ...query, cursor: first.cursor } });
    assert.deepEqual([rest.payload, rest.cursor], [[rows[1]], undefined]);
    assert.deepEqual((await ask(bench, { query: { devices: ['lamp'], offset: 1 } })).payload, [rows[3]]);
    assert.deepEqual((await ask(bench, { query: { tags: { n: '3' }, fields: 'n' } })).payload, [rows[2]]);
  });

  it('aggregates rows of a device', async () => {
    const bench = await start({
      service: 'bucket',
      action: 'aggregate',
      device: 'pump',
      params: '{"span":"1min","function":"max"}',
    });
    const key = { user: 'anna', bucket: 'config' };
    await bench.services().buckets.define(key, {});
    const rows = [1, 5, 70, 80].map((s) => ({ ts: DAY + s * 1000, device: 'pump', value: { s } }));
    await bench
      .services()
      .buckets.write(key, [...rows, { ts: DAY + 2000, device: 'lamp', value: { s: 99 } }]);
    assert.deepEqual((await ask(bench)).payload, [
      { ts: DAY, value: { s: 5 } },
      { ts: DAY + 60_000, value: { s: 80 } },
    ]);
  });

  const wrongRows: readonly (readonly [unknown, string])[] = [
    [undefined, 'IOTMP_ERR_NO_INPUT'],
    ['text', 'IOTMP_ERR_CONFIG'],
    [Buffer.from([1]), 'IOTMP_ERR_CONFIG'],
    [[{ values: {} }], 'IOTMP_ERR_CONFIG'],
    [[{ ts: 'soon', value: { a: 1 } }], 'IOTMP_ERR_CONFIG'],
    [[{ ts: -1, value: { a: 1 } }], 'IOTMP_ERR_CONFIG'],
    [[{ ts: 1_767_571_200, value: { a: 1 } }], 'IOTMP_ERR_CONFIG'],
    [[{ ts: Date.now() + 2 * 86_400_000, value: { a: 1 } }], 'IOTMP_ERR_CONFIG'],
    [[3], 'IOTMP_ERR_CONFIG'],
  ];
  it('refuses what are no rows', async () => {
    const bench = await start({ service: 'bucket' });
    for (const [payload, code] of wrongRows) assert.equal(await codeOf(bench, { payload }), code);
  });

  it('refuses queries that make no sense, and buckets that there are not', async () => {
    const params = { params: 'query', paramsType: 'msg' };
    const bench = await start({ service: 'bucket', action: 'read', ...params });
    assert.equal(await codeOf(bench), 'IOTMP_ERR_NOT_FOUND');
    await bench.services().buckets.define({ user: 'anna', bucket: 'config' }, {});
    const wrong: unknown[] = [
      'text',
      [],
      { from: 1 },
      { minTs: 'soon' },
      { limit: '5' },
      { limit: 0 },
      { sort: 'up' },
      { devices: [1] },
      { tags: 'x' },
      { cursor: 'x' },
      { span: '1h' },
    ];
    for (const query of wrong) {
      assert.equal(await codeOf(bench, { query }), 'IOTMP_ERR_CONFIG', JSON.stringify(query));
    }
  });
});

describe('iotmp-call of an endpoint', () => {
  it('emits its answer, with its status', async () => {
    const bench = await start({ service: 'endpoint', action: 'call', resource: 'greet' });
    bench.services().endpoints.host('greet', ({ payload, user }) => new Answer({ payload, user }, 201));
    const { payload, statusCode, resource } = await ask(bench, { payload: 'hello' });
    assert.deepEqual([payload, statusCode, resource], [{ payload: 'hello', user: 'anna' }, 201, 'greet']);
  });

  it('fails as it does, and where nobody hosts it', async () => {
    const bench = await start({ service: 'endpoint', resource: 'greet' });
    assert.equal(await codeOf(bench), 'IOTMP_ERR_NOT_FOUND');
    bench.services().endpoints.host('greet', () => new Answer({ why: 'tea' }, 418));
    bench.send('call', {});
    const { code, cause } = await bench.error();
    assert.deepEqual([code, cause], ['IOTMP_ERR_REMOTE', { statusCode: 418, payload: { why: 'tea' } }]);
  });

  it('gives up after the timeout', async () => {
    const bench = await start({ service: 'endpoint', resource: 'slow', timeout: 0.1 });
    const { endpoints } = bench.services();
    endpoints.host('slow', () => new Promise(() => undefined));
    assert.equal(await codeOf(bench), 'IOTMP_ERR_TIMEOUT');
    assert.equal(endpoints.pending, 0);
    await bench.status('call', 'red', 'status.timeout');
  });
});

describe('iotmp-call of a topic', () => {
  for (const retain of [false, true]) {
    it(`publishes, retain ${retain}`, async () => {
      const bench = await start({ service: 'topic', resource: 'home/light', retain });
      const { topics } = bench.services();
      const heard = new Recording<TopicMessage>('a message');
      topics.subscribe('anna', 'home/+', (message) => heard.push(message));
      assert.deepEqual((await ask(bench, { payload: { on: true } })).payload, { on: true });
      assert.deepEqual((await heard.next()).payload, { on: true });
      const late = new Recording<TopicMessage>('a message that was kept');
      topics.subscribe('anna', 'home/#', (message) => late.push(message));
      await topics.publish('anna', 'home/end', 1);
      assert.equal((await late.next()).topic, retain ? 'home/light' : 'home/end');
    });
  }

  it('refuses wildcards', async () => {
    const bench = await start({ service: 'topic', resource: 'home/#' });
    assert.equal(await codeOf(bench, { payload: 1 }), 'IOTMP_ERR_PROTOCOL');
  });
});

describe('iotmp-call with a service that there is not', () => {
  const wrong = [
    { service: 'lock' },
    { service: 'property', action: 'read' },
    { service: 'endpoint', action: 'publish' },
  ];
  for (const properties of wrong) {
    it(`is red, and every message fails: ${JSON.stringify(properties)}`, async () => {
      const bench = await start(properties);
      await bench.status('call', 'red');
      assert.equal(await codeOf(bench, { payload: 1 }), 'IOTMP_ERR_CONFIG');
    });
  }
});
