import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { decodeValue } from '../../../src/codec/reading/pson-decoder';
import { encodeValue } from '../../../src/codec/writing/pson-encoder';
import { memoryInUse } from './memory';

/** More different texts than the caches hold, several times over. */
const MANY = 10000;

function assertRoundTrip(value: object): void {
  assert.deepEqual(decodeValue(encodeValue(value)), value);
}

describe('remembered keys and texts', () => {
  it('keep `__proto__` harmless as a key after it was a value', () => {
    // The first of all: later there may be no room to remember it.
    for (let round = 0; round < 3; round++) assertRoundTrip({ name: '__proto__' });
    const json = '{"a":{"__proto__":{"b":2}}}';
    const decoded = decodeValue(encodeValue(JSON.parse(json))) as { a: { b?: unknown } };
    assert.equal(JSON.stringify(decoded), json);
    assert.equal(Object.getPrototypeOf(decoded.a), Object.prototype);
    assert.equal(decoded.a.b, undefined);
  });

  it('are not mixed up when they are nearly equal', () => {
    const base = 'sensors/temperature/north-30';
    for (let length = 1; length <= base.length; length++) {
      const text = base.slice(0, length);
      for (let index = 0; index < length; index++) {
        const other = `${text.slice(0, index)}~${text.slice(index + 1)}`;
        for (let round = 0; round < 3; round++) assertRoundTrip({ [text]: other, [other]: text });
      }
    }
  });

  it('stay right when there are more than can be remembered', () => {
    for (let round = 0; round < 3; round++) {
      for (let start = 0; start < MANY; start += 50) {
        const entries = Array.from({ length: 50 }, (_, index) => [
          `key-${start + index}`,
          `value-${start + index}`,
        ]);
        assertRoundTrip(Object.fromEntries(entries) as object);
      }
    }
  });

  it('stay right when the caches start anew in the middle of a message', () => {
    const known = { temperature: { min: 1, max: 2 }, label: 'outdoor', humidity: [{ at: 'noon' }] };
    const strangers = Array.from({ length: 3000 }, (_, index) => ({
      [`stranger-${index}`]: `text-${index}`,
    }));
    for (let round = 0; round < 50; round++) {
      const value = [known, ...strangers, known];
      const bytes = encodeValue(value);
      assert.deepEqual((decodeValue(bytes) as unknown[]).at(-1), known);
      if (round % 10 === 0) assertRoundTrip(value);
    }
  });

  it('keep `__proto__` harmless between others', () => {
    const json = '{"a":1,"__proto__":{"b":2},"c":3}';
    for (let round = 0; round < 10; round++) {
      const value = JSON.parse(json) as object;
      assertRoundTrip(value);
      assert.equal(JSON.stringify(decodeValue(encodeValue(value))), json);
    }
  });

  it('are no longer guessed when the guess would read past the end', () => {
    const bytes = encodeValue({ temperature: 1, humidity: 2 });
    assert.ok(decodeValue(bytes));
    for (let length = bytes.length - 1; length > 0; length--) {
      assert.throws(() => decodeValue(bytes.subarray(0, length)), { code: 'IOTMP_ERR_DECODE' });
    }
  });

  it('take little memory, however many different ones there are', async () => {
    const long = (name: string): Record<string, number> =>
      Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`${name}${index}`, index]));
    assertRoundTrip(long('warm'));
    const before = await memoryInUse();
    for (let round = 0; round < 40; round++) {
      const bytes = encodeValue({ [`outer${round}`]: long(`inner${round}-`) });
      decodeValue(bytes);
      decodeValue(bytes);
    }
    // 200,000 keys were seen, most of them three times; remembering them all would take 40 MB.
    assert.ok((await memoryInUse()) - before < 8e6);
  });
});
