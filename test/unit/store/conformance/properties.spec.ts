import assert from 'node:assert/strict';
import { it } from 'mocha';
import fc from 'fast-check';
import { decodeValue } from '../../../../src/codec/reading/pson-decoder';
import { encodeValue } from '../../../../src/codec/writing/pson-encoder';
import type { Value } from '../../../../src/types';
import { describeStores, withCode } from '../support/stores';

const DEVICE = { user: 'ann', device: 'pump' };

describeStores('properties', (open) => {
  it('keeps a value, and tells whether it was made, changed or there already', async () => {
    let now = 1000;
    const { properties } = await open({ now: () => now });
    assert.equal(await properties.set(DEVICE, 'mode', { speed: 3 }), 'created');
    now = 2000;
    assert.equal(await properties.set(DEVICE, 'mode', { speed: 3 }), 'unchanged');
    assert.equal((await properties.get(DEVICE, 'mode'))?.modified, 1000);
    now = 3000;
    assert.equal(await properties.set(DEVICE, 'mode', { speed: 4 }), 'updated');
    assert.deepEqual(await properties.get(DEVICE, 'mode'), {
      name: 'mode',
      value: { speed: 4 },
      attributes: {},
      created: 1000,
      modified: 3000,
    });
  });

  it('has no property that was never set', async () => {
    const { properties } = await open();
    assert.equal(await properties.get(DEVICE, 'mode'), undefined);
    assert.equal(await properties.remove(DEVICE, 'mode'), false);
    assert.deepEqual(await properties.list(DEVICE), []);
  });

  it('keeps the properties of each device and of the user apart', async () => {
    const { properties } = await open();
    const owners = [DEVICE, { user: 'ann' }, { user: 'bob', device: 'pump' }, { user: 'ann', device: 'pum' }];
    for (const [index, owner] of owners.entries()) await properties.set(owner, 'number', index);
    for (const [index, owner] of owners.entries()) {
      assert.equal((await properties.get(owner, 'number'))?.value, index);
    }
    assert.equal(await properties.clear(DEVICE), 1);
    assert.equal(await properties.get(DEVICE, 'number'), undefined);
    assert.equal((await properties.get({ user: 'ann' }, 'number'))?.value, 1);
  });

  it('keeps the properties of assets apart from those of devices, whatever these are called', async () => {
    const { properties } = await open();
    const asset = { kind: 'type', id: 'motor' };
    const owners = [
      { user: 'ann', asset },
      { user: 'ann', asset: { kind: 'group', id: 'motor' } },
      { user: 'bob', asset },
      ...['motor', 'type/motor', '/type/motor', '//type/motor', '/', '//'].map((device) => ({
        user: 'ann',
        device,
      })),
    ];
    for (const [index, owner] of owners.entries()) await properties.set(owner, 'number', index);
    for (const [index, owner] of owners.entries()) {
      assert.equal((await properties.get(owner, 'number'))?.value, index);
      assert.equal((await properties.list(owner)).length, 1);
    }
    for (const bad of [
      { kind: '', id: 'x' },
      { kind: 'a/b', id: 'x' },
      { kind: 'type', id: '' },
    ]) {
      await assert.rejects(properties.set({ user: 'ann', asset: bad }, 'x', 1), withCode('IOTMP_ERR_CONFIG'));
    }
  });

  it('keeps attributes until they are set again', async () => {
    const { properties } = await open();
    await properties.set(DEVICE, 'mode', 1, { description: 'How fast' });
    await properties.set(DEVICE, 'mode', 2);
    assert.deepEqual((await properties.get(DEVICE, 'mode'))?.attributes, { description: 'How fast' });
    assert.equal(await properties.set(DEVICE, 'mode', 2, {}), 'updated');
    assert.deepEqual((await properties.get(DEVICE, 'mode'))?.attributes, {});
  });

  it('gives every value back as it was', async () => {
    const { properties } = await open();
    const values: Value[] = [
      null,
      true,
      0,
      -1.5,
      23.4,
      NaN,
      -0,
      2n ** 63n,
      -(2n ** 63n),
      'ñ 😀',
      '',
      [],
      {},
      [1, [2, { a: null }]],
      { ['__proto__']: 1, constructor: 2 },
    ];
    for (const value of values) {
      await properties.set(DEVICE, 'any', value);
      assert.deepEqual((await properties.get(DEVICE, 'any'))?.value, value);
    }
  });

  it('takes no value that it could not give back', async () => {
    const { properties } = await open();
    let value: Value = 1;
    let taken = 0;
    for (let depth = 1; depth <= 70; depth++) {
      value = depth % 2 ? [value] : { a: value };
      const outcome: unknown = await properties.set(DEVICE, 'deep', value).catch((error: unknown) => error);
      if (outcome instanceof Error) assert.equal((outcome as { code?: string }).code, 'IOTMP_ERR_ENCODE');
      else {
        taken = depth;
        assert.deepEqual((await properties.get(DEVICE, 'deep'))?.value, value);
      }
    }
    assert.equal(taken, 64);
  });

  it('gives bytes back that are the reader’s own', async () => {
    const { properties } = await open();
    const written = Buffer.from([1, 2, 3]);
    await properties.set(DEVICE, 'bytes', written);
    written[0] = 9;
    const read = (await properties.get(DEVICE, 'bytes'))?.value as Buffer;
    assert.deepEqual([...read], [1, 2, 3]);
    read[0] = 8;
    assert.deepEqual((await properties.get(DEVICE, 'bytes'))?.value, Buffer.from([1, 2, 3]));
  });

  it('lists by name, in pages, and by a part of the name', async () => {
    const { properties } = await open();
    for (const name of ['b', 'a', '\u{1f600}', '\uffee', 'Temp', 'temperature', 'ÁRBOL']) {
      await properties.set(DEVICE, name, name);
    }
    const names = async (page?: Parameters<typeof properties.list>[1]): Promise<string[]> =>
      (await properties.list(DEVICE, page)).map(({ name }) => name);
    const all = ['Temp', 'a', 'b', 'temperature', 'ÁRBOL', '\uffee', '\u{1f600}'];
    assert.deepEqual(await names(), all);
    assert.deepEqual(await names({ limit: 2, offset: 1 }), all.slice(1, 3));
    assert.deepEqual(await names({ name: 'TEMP' }), ['Temp', 'temperature']);
    assert.deepEqual(await names({ name: 'árb' }), ['ÁRBOL']);
    assert.deepEqual(await names({ name: '%' }), []);
    assert.deepEqual(await names({ name: 'temp', limit: 1, offset: 1 }), ['temperature']);
  });

  it('merges a patch into a value', async () => {
    const { properties } = await open();
    await properties.set(DEVICE, 'config', { a: 1, b: { c: 2, d: 3 } }, { type: 'configuration' });
    const merged = await properties.merge(DEVICE, 'config', { a: null, b: { c: 4 }, e: [5] });
    assert.deepEqual(merged, { b: { c: 4, d: 3 }, e: [5] });
    const property = await properties.get(DEVICE, 'config');
    assert.deepEqual(property!.value, merged);
    assert.deepEqual(property!.attributes, { type: 'configuration' });
    await assert.rejects(properties.merge(DEVICE, 'other', {}), withCode('IOTMP_ERR_NOT_FOUND'));
  });

  it('refuses a value past the limit, and keeps the one before', async () => {
    const { properties } = await open({ limits: { valueSize: 100 } });
    await properties.set(DEVICE, 'text', 'x'.repeat(98));
    await assert.rejects(properties.set(DEVICE, 'text', 'x'.repeat(99)), {
      code: 'IOTMP_ERR_TOO_LARGE',
      statusCode: 413,
    });
    assert.equal((await properties.get(DEVICE, 'text'))?.value, 'x'.repeat(98));
    await properties.set(DEVICE, 'map', { a: 'x'.repeat(80) });
    await assert.rejects(
      properties.merge(DEVICE, 'map', { b: 'x'.repeat(80) }),
      withCode('IOTMP_ERR_TOO_LARGE'),
    );
    assert.deepEqual((await properties.get(DEVICE, 'map'))?.value, { a: 'x'.repeat(80) });
  });

  it('refuses one property too many, also when many are made at once', async () => {
    const { properties } = await open({ limits: { propertiesPerOwner: 10 } });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 15 }, (_, index) => properties.set(DEVICE, `p${index}`, index)),
    );
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    assert.equal(refused.length, 5);
    for (const { reason } of refused as PromiseRejectedResult[]) {
      assert.partialDeepStrictEqual({ ...reason }, { code: 'IOTMP_ERR_QUOTA', statusCode: 409 });
    }
    assert.equal((await properties.list(DEVICE)).length, 10);
    assert.equal(await properties.set(DEVICE, 'p0', 'other'), 'updated');
    assert.equal(await properties.set({ user: 'ann' }, 'p', 0), 'created');
    await properties.remove(DEVICE, 'p0');
    assert.equal(await properties.set(DEVICE, 'p99', 0), 'created');
  });

  it('refuses what cannot be a name', async () => {
    const { properties } = await open();
    for (const name of ['', 'x'.repeat(257), '\ud800']) {
      await assert.rejects(properties.set(DEVICE, name, 1), withCode('IOTMP_ERR_CONFIG'));
      await assert.rejects(properties.get({ user: name }, 'p'), withCode('IOTMP_ERR_CONFIG'));
      await assert.rejects(properties.list({ user: 'u', device: name }), withCode('IOTMP_ERR_CONFIG'));
    }
    await assert.rejects(properties.list(DEVICE, { limit: 1001 }), withCode('IOTMP_ERR_CONFIG'));
    await assert.rejects(properties.list(DEVICE, { offset: -1 }), withCode('IOTMP_ERR_CONFIG'));
    await assert.rejects(
      properties.set(DEVICE, 'f', (() => 1) as unknown as Value),
      withCode('IOTMP_ERR_ENCODE'),
    );
  });

  it('behaves like a map of values, whatever is asked of it', async () => {
    const { properties } = await open();
    const name = fc.constantFrom('a', 'b', 'A', '\u{10ffff}');
    const command = fc.oneof(
      fc.record({ kind: fc.constant('set' as const), name, value: fc.jsonValue() }),
      fc.record({ kind: fc.constant('remove' as const), name }),
    );
    let run = 0;
    const check = async (commands: readonly (typeof command extends fc.Arbitrary<infer C> ? C : never)[]) => {
      const owner = { user: `u${run++}` };
      const model = new Map<string, Value>();
      for (const entry of commands) {
        if (entry.kind === 'set') {
          const value = entry.value as Value;
          const before = model.get(entry.name);
          const isSame = model.has(entry.name) && encodeValue(before).equals(encodeValue(value));
          const expected = !model.has(entry.name) ? 'created' : isSame ? 'unchanged' : 'updated';
          assert.equal(await properties.set(owner, entry.name, value), expected);
          model.set(entry.name, decodeValue(encodeValue(value)));
        } else assert.equal(await properties.remove(owner, entry.name), model.delete(entry.name));
      }
      const listed = await properties.list(owner);
      assert.deepEqual(new Map(listed.map((property) => [property.name, property.value])), model);
    };
    await fc.assert(fc.asyncProperty(fc.array(command, { maxLength: 8 }), check), { numRuns: 15 });
  });
});
