import assert from 'node:assert/strict';
import { it } from 'mocha';
import fc from 'fast-check';
import { MAX_ENCODED_SIZE } from '../../../src/codec/constants';
import { encodeValue } from '../../../src/codec/writing/pson-encoder';
import { describeStores } from '../store/support/stores';
import { PUMP } from '../support/broker-fixture';
import { message, psonField, Type, varintField } from '../support/raw-message';
import { replay, scene } from './store-support';
import { ask, BOB, captured, connectClient, DIALECTS, gist, serviceRun } from './support';

const READ = 1;
const SET = 2;
const OWNER = { user: 'anna', device: 'pump' };

describeStores('properties', (open) => {
  it('are refused to a small device that could not read them again', async () => {
    const { bench, lamp } = await scene({ store: await open() });
    const limit = bench.broker.server.device({ user: 'anna', device: 'lamp' })?.maxBodySize ?? 0;
    const large = await ask(lamp, 'B', SET, 'x', 'x'.repeat(limit));
    assert.deepEqual([large.type, large.parameters], [Type.ERROR, 413]);
    assert.match(JSON.stringify(large.payload), /can read \d+ at most/);
    assert.equal(bench.takeRefusals().length, 1);
    assert.equal(await bench.services.properties.get({ user: 'anna', device: 'lamp' }, 'x'), undefined);
    const most = 'x'.repeat(limit - 20);
    assert.equal((await ask(lamp, 'B', SET, 'x', most)).type, Type.OK);
    assert.equal((await ask(lamp, 'B', READ, 'x')).payload, most);
  });

  for (const dialect of DIALECTS) {
    it(`are set and read, dialect ${dialect}`, async () => {
      const { pump, bench } = await scene({ store: await open() });
      const values = [0, -5, 2 ** 33, 1.5, 'ñ', '', true, null, [1, -1, 'x', null], {}, { a: { b: 1 } }];
      for (const value of values) {
        assert.deepEqual(gist(await ask(pump, dialect, SET, 'x', value)), ['OK', undefined, undefined]);
        assert.deepEqual(gist(await ask(pump, dialect, READ, 'x')), ['OK', undefined, value]);
        assert.deepEqual((await bench.services.properties.get(OWNER, 'x'))?.value, value);
      }
      assert.deepEqual(bench.takeRefusals(), []);
    });

    it(`that do not exist are ERROR 404 without a payload, which is no refusal, dialect ${dialect}`, async () => {
      const { pump, bench, takeEvents } = await scene({ store: await open() });
      assert.deepEqual(gist(await ask(pump, dialect, READ, 'none')), ['ERROR', 404, undefined]);
      assert.deepEqual([takeEvents(), bench.takeRefusals()], [[], []]);
    });

    it(`are set without an answer where none is wanted, dialect ${dialect}`, async () => {
      const { pump, bench } = await scene({ store: await open() });
      for (const [id, value] of [
        [undefined, 1],
        [0, 2],
      ] as const) {
        pump.send(serviceRun(dialect, SET, 'x', { id, payload: value }));
        pump.send(serviceRun(dialect, READ, 'x', { id }));
        assert.equal((await ask(pump, dialect, READ, 'x')).payload, value);
      }
      await pump.barrier();
      assert.deepEqual([pump.all(Type.ERROR), bench.takeRefusals()], [[], []]);
    });

    it(`refuse bad names and sets without a value, dialect ${dialect}`, async () => {
      const { pump, bench } = await scene({ store: await open() });
      for (const name of ['', 'a b', 'a/b', 'x'.repeat(65), '../x', ['a', 'b']]) {
        assert.equal((await ask(pump, dialect, READ, name)).parameters, 400);
        assert.equal((await ask(pump, dialect, SET, name, 1)).parameters, 400);
      }
      assert.deepEqual(gist(await ask(pump, dialect, SET, 'x')), [
        'ERROR',
        400,
        { error: 'a property cannot be set without a value' },
      ]);
      assert.equal(bench.refusals.length, 13);
      assert.deepEqual(await bench.services.properties.list(OWNER), []);
    });
  }

  it('understand the Linux client', async () => {
    const { pump, bench } = await scene({ store: await open() });
    const missing = captured('call.get_property_missing');
    assert.deepEqual(await replay(pump, missing), ['ERROR', 404, undefined]);
    await replay(pump, captured('call.set_property'));
    assert.deepEqual(await replay(pump, captured('call.get_property')), ['OK', undefined, { interval: 60 }]);
    for (const name of ['confirm', 'int_confirm', 'str', 'null', 'bool']) {
      assert.deepEqual(await replay(pump, captured(`call.set_property_${name}`)), [
        'OK',
        undefined,
        undefined,
      ]);
    }
    const all = await bench.services.properties.list(OWNER);
    assert.deepEqual(Object.fromEntries(all.map(({ name, value }) => [name, value])), {
      config: { interval: 60, name: 'ñ' },
      count: 42,
      flag: true,
      gone: null,
      name: 'abc',
    });
  });

  it('understand microcontrollers, of both orders of fields', async () => {
    const { pump } = await scene({ store: await open() });
    const read = captured('get_property -> object <- RUN');
    for (const [name, value] of [
      ['env', { temperature: 23.5, humidity: 60 }],
      ['neg', -5],
      ['float', 3.14],
      ['double', Math.PI],
      ['true', true],
      ['false', false],
      ['arr', [1, -1, 'x', true, 1.5, null]],
      [
        'nested',
        { a: { b: { c: 1 }, list: [1, 2] }, neg: -7, pi: Math.PI, n: null, bin: Buffer.from('dead', 'hex') },
      ],
      // Their largest number looks like -1 at the top of a field.
      ['u64max', -1],
    ] as const) {
      assert.equal((await replay(pump, captured(`set_property ${name} <- RUN`)))[0], 'OK');
      const [type, , got] = await replay(pump, read);
      assert.equal(type, 'OK');
      if (name === 'float') assert.equal(Math.fround(got as number), Math.fround(3.14));
      else assert.deepEqual(got, value);
    }
    for (const order of ['old', 'current']) {
      await replay(pump, captured(`enc ${order} order set_property`));
      assert.deepEqual((await replay(pump, captured(`enc ${order} order get_property`)))[2], { v: 1 });
    }
  });

  it('keep integers of 64 bits and bytes exactly, and never answer an integer outside of PSON', async () => {
    const { pump } = await scene({ store: await open() });
    for (const value of [
      2n ** 63n - 1n,
      -(2n ** 63n),
      2n ** 64n - 1n,
      -5,
      2 ** 40,
      Buffer.from([0, 255, 1]),
    ]) {
      pump.send(
        message(Type.RUN, varintField(1, 7), psonField(2, 'x'), psonField(3, value), varintField(4, SET)),
      );
      await pump.next(Type.OK);
      const answer = await ask(pump, 'B', READ, 'x');
      assert.deepEqual(answer.payload, value);
      assert.deepEqual(answer.keys, [0x08, 0x1a]);
    }
  });

  it('are read as they were set, whatever the value', async () => {
    const { bench } = await scene({ store: await open() });
    const { properties } = bench.services;
    const json = fc.jsonValue({ maxDepth: 3 }).filter((value) => !JSON.stringify(value).includes('-0'));
    await fc.assert(
      fc.asyncProperty(json, async (value) => {
        await properties.set(OWNER, 'x', value);
        const found = await properties.get(OWNER, 'x');
        assert.deepEqual(encodeValue(found?.value), encodeValue(value));
      }),
      { numRuns: 30 },
    );
  });

  it('are those of the device that asks', async () => {
    const { bench, pump, lamp } = await scene({ store: await open() });
    const bobs = await bench.broker.device(BOB);
    for (const [device, value] of [
      [pump, 'p'],
      [lamp, 'l'],
      [bobs, 'b'],
    ] as const) {
      await ask(device, 'A', SET, 'x', value);
    }
    for (const [device, value] of [
      [pump, 'p'],
      [lamp, 'l'],
      [bobs, 'b'],
    ] as const) {
      assert.equal((await ask(device, 'A', READ, 'x')).payload, value);
    }
    assert.equal(await bench.services.properties.get({ user: 'anna' }, 'x'), undefined);
  });

  it('tell each change once, in order, after it is kept; what changes nothing is no change', async () => {
    const { bench, pump, takeEvents } = await scene({ store: await open() });
    const { properties } = bench.services;
    for (const value of [1, 1, 2, 2, 1]) await ask(pump, 'A', SET, 'x', value);
    const update = { event: 'device_property_update', ...OWNER, property: 'x' };
    assert.deepEqual(takeEvents(), [
      { ...update, value: 1 },
      { ...update, value: 2 },
      { ...update, value: 1 },
    ]);
    assert.equal(await properties.set(OWNER, 'x', 1), 'unchanged');
    assert.equal(await properties.set(OWNER, 'x', 1, { description: 'one' }), 'updated');
    assert.deepEqual(takeEvents(), [{ ...update, value: 1 }]);
    assert.equal(await properties.remove(OWNER, 'x'), true);
    assert.equal(await properties.remove(OWNER, 'x'), false);
    assert.deepEqual(takeEvents(), [{ event: 'device_property_delete', ...OWNER, property: 'x' }]);
  });

  it('may be of a user, too', async () => {
    const { bench, takeEvents } = await scene({ store: await open() });
    const { properties } = bench.services;
    const heard: unknown[] = [];
    const stop = properties.watch({ user: 'anna' }, 'home', (value) => heard.push(value));
    assert.equal(await properties.set({ user: 'anna' }, 'home', { lat: 1, lon: 2 }), 'created');
    assert.deepEqual(await properties.merge({ user: 'anna' }, 'home', { lat: 3, lon: null }), { lat: 3 });
    assert.equal(await properties.remove({ user: 'anna' }, 'home'), true);
    assert.deepEqual(heard, [{ lat: 1, lon: 2 }, { lat: 3 }, undefined]);
    assert.deepEqual(takeEvents(), [
      { event: 'user_property_update', user: 'anna', property: 'home', value: { lat: 1, lon: 2 } },
      { event: 'user_property_update', user: 'anna', property: 'home', value: { lat: 3 } },
      { event: 'user_property_delete', user: 'anna', property: 'home' },
    ]);
    stop();
    assert.equal(properties.watched, 0);
  });

  it('of an asset tell of themselves with its kind', async () => {
    const { bench, takeEvents } = await scene({ store: await open() });
    const { properties } = bench.services;
    const owner = { user: 'anna', asset: { kind: 'type', id: 'motor' } };
    const heard: unknown[] = [];
    properties.watch(owner, 'limit', (value) => heard.push(value));
    await properties.set({ user: 'anna', device: '/type/motor' }, 'limit', 1);
    await properties.set(owner, 'limit', 2);
    await properties.clear(owner);
    assert.deepEqual(heard, [2, undefined]);
    assert.deepEqual(takeEvents().slice(1), [
      { event: 'type_property_update', user: 'anna', type: 'motor', property: 'limit', value: 2 },
      { event: 'type_property_delete', user: 'anna', type: 'motor', property: 'limit' },
    ]);
  });

  it('that are set many times at once end with the last value, and everybody hears them in order', async () => {
    const { bench, pump, events } = await scene({ store: await open() });
    const heard: unknown[] = [];
    bench.services.properties.watch(OWNER, 'x', (value) => heard.push(value));
    const values = Array.from({ length: 200 }, (_, index) => index);
    pump.send(
      Buffer.concat(values.map((value) => serviceRun('B', SET, 'x', { id: value + 1, payload: value }))),
    );
    for (const value of values) assert.equal((await pump.next(Type.OK)).id, value + 1);
    assert.equal((await ask(pump, 'B', READ, 'x')).payload, 199);
    assert.deepEqual(heard, values);
    assert.deepEqual(
      events.map(({ value }) => value),
      values,
    );
  });

  it('hear of sets, patches and removals in the order in which they were asked for', async () => {
    const { bench } = await scene({ store: await open() });
    const { properties } = bench.services;
    const heard: unknown[] = [];
    properties.watch(OWNER, 'x', (value) => heard.push(value));
    await Promise.all([
      properties.set(OWNER, 'x', { a: 1 }),
      properties.merge(OWNER, 'x', { b: 2 }),
      properties.set(OWNER, 'x', { c: 3 }),
      properties.remove(OWNER, 'x'),
      properties.set(OWNER, 'x', { d: 4 }),
      properties.merge(OWNER, 'x', { d: null }),
    ]);
    assert.deepEqual(heard, [{ a: 1 }, { a: 1, b: 2 }, { c: 3 }, undefined, { d: 4 }, {}]);
  });

  it('take what a flow gives as it is at that moment', async () => {
    const { bench, events } = await scene({ store: await open() });
    const value = { at: new Date(0), list: [1] };
    const written = bench.services.properties.set(OWNER, 'x', value);
    value.list.push(2);
    await written;
    const kept = { at: '1970-01-01T00:00:00.000Z', list: [1] };
    assert.deepEqual((await bench.services.properties.get(OWNER, 'x'))?.value, kept);
    assert.deepEqual(events[0]?.value, kept);
  });

  it('are limited in size and number', async () => {
    const { bench, pump } = await scene({
      store: await open({ limits: { valueSize: 100, propertiesPerOwner: 2 } }),
    });
    assert.equal((await ask(pump, 'A', SET, 'a', 'x'.repeat(101))).parameters, 413);
    for (const name of ['a', 'b']) assert.equal((await ask(pump, 'A', SET, name, 1)).type, Type.OK);
    assert.equal((await ask(pump, 'A', SET, 'c', 1)).parameters, 409);
    assert.equal((await ask(pump, 'A', SET, 'a', 2)).type, Type.OK, 'what is there may change');
    const refused = ['set_property 413 a', 'set_property 409 c'];
    assert.deepEqual(bench.takeRefusals(), refused);
    assert.equal(await bench.services.properties.clear(OWNER), 2);
    assert.equal((await ask(pump, 'A', SET, 'c', 1)).type, Type.OK);
  });

  it('refuse programs what they refuse devices', async () => {
    const { bench } = await scene({ store: await open() });
    const { properties } = bench.services;
    await assert.rejects(properties.set(OWNER, 'a b', 1), { statusCode: 400 });
    await assert.rejects(properties.get(OWNER, ''), { statusCode: 400 });
    await assert.rejects(properties.set({ user: '' }, 'a', 1), { code: 'IOTMP_ERR_CONFIG' });
    await assert.rejects(properties.set(OWNER, 'a', undefined), { code: 'IOTMP_ERR_NO_INPUT' });
    await assert.rejects(
      properties.set(OWNER, 'a', () => 1),
      { code: 'IOTMP_ERR_ENCODE' },
    );
    await assert.rejects(properties.set(OWNER, 'a', 'x'.repeat(65_536)), { code: 'IOTMP_ERR_TOO_LARGE' });
    await assert.rejects(properties.set(OWNER, 'a', Buffer.alloc(MAX_ENCODED_SIZE)), { statusCode: 413 });
    await assert.rejects(properties.merge(OWNER, 'none', {}), { code: 'IOTMP_ERR_NOT_FOUND' });
    assert.throws(() => properties.watch(OWNER, 'a/b', () => undefined), { statusCode: 400 });
    assert.deepEqual(await properties.list(OWNER), []);
  });

  it('are what the client of this package reads and sets', async () => {
    const { bench } = await scene({ store: await open() });
    const client = await connectClient(bench.broker, PUMP);
    assert.equal(await client.getProperty('x'), null);
    await client.setProperty('x', { n: 2n ** 60n });
    assert.deepEqual(await client.getProperty('x'), { n: 2n ** 60n });
  });

  it('survive a listener that throws', async () => {
    const { bench, pump } = await scene({ store: await open() });
    bench.services.properties.watch(OWNER, 'x', () => {
      throw new Error('listener');
    });
    assert.equal((await ask(pump, 'A', SET, 'x', 1)).type, Type.OK);
    assert.deepEqual(bench.broker.warnings, ['a listener of a property failed: listener']);
  });
});
