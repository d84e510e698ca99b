import assert from 'node:assert/strict';
import { runInNewContext } from 'node:vm';
import { describe, it } from 'mocha';
import { decodeValue } from '../../../src/codec/reading/pson-decoder';
import { encodeValue } from '../../../src/codec/writing/pson-encoder';

function hexOf(value: unknown): string {
  return encodeValue(value).toString('hex');
}

function assertEncodes(cases: readonly (readonly [unknown, string])[]): void {
  for (const [value, hex] of cases) assert.equal(hexOf(value), hex);
}

describe('encoding of numbers', () => {
  it('uses the tag for 0 to 30 and a varint beyond', () => {
    assertEncodes([
      [0, '00'],
      [30, '1e'],
      [31, '1f1f'],
      [127, '1f7f'],
      [128, '1f8001'],
      [2 ** 31 - 1, '1fffffffff07'],
      [2 ** 31, '1f8080808008'],
      [2 ** 32, '1f8080808010'],
      [-1, '21'],
      [-30, '3e'],
      [-31, '3f1f'],
      [-(2 ** 31), '3f8080808008'],
    ]);
  });

  it('writes integral doubles of the signed 64-bit range exactly as integers', () => {
    assertEncodes([
      [2 ** 53, '1f8080808080808010'],
      [-(2 ** 53), '3f8080808080808010'],
      [2 ** 62, '1f808080808080808040'],
      [-(2 ** 63), '3f80808080808080808001'],
      [22.0, '16'],
    ]);
    assert.equal(decodeValue(encodeValue(2 ** 63 - 1024)), BigInt(2 ** 63 - 1024));
  });

  it('writes doubles beyond that range as floats', () => {
    assertEncodes([
      [2 ** 63, '400000005f'],
      [1e19, '41003d9160e458e143'],
      [-1e19, '41003d9160e458e1c3'],
      [Number.MAX_VALUE, '41ffffffffffffef7f'],
    ]);
  });

  it('writes 32-bit floats only where nothing is lost', () => {
    assertEncodes([
      [23.5, '400000bc41'],
      [23.4, '416666666666663740'],
      [Number.MIN_VALUE, '410100000000000000'],
    ]);
  });

  it('writes negative zero, NaN and the infinities as 32-bit floats', () => {
    assertEncodes([
      [-0, '4000000080'],
      [NaN, '400000c07f'],
      [Infinity, '400000807f'],
      [-Infinity, '40000080ff'],
    ]);
  });

  it('writes every NaN alike, whatever bits it came with', () => {
    const negative = decodeValue(Buffer.from('41010000000000f8ff', 'hex'));
    assert.equal(hexOf(negative), '400000c07f');
  });

  it('takes BigInt of 64 bits, signed or unsigned', () => {
    assertEncodes([
      [5n, '05'],
      [-5n, '25'],
      [0n, '00'],
      [2n ** 64n - 1n, '1fffffffffffffffffff01'],
      [-(2n ** 63n), '3f80808080808080808001'],
    ]);
  });
});

describe('encoding of texts', () => {
  it('counts bytes of UTF-8', () => {
    assertEncodes([
      ['', '80'],
      ['\u0000', '8100'],
      ['ñ', '82c3b1'],
      ['🚀', '84f09f9a80'],
    ]);
  });

  it('is right at every length around the limits of its forms', () => {
    for (const length of [15, 16, 17, 29, 30, 31, 32, 127, 128, 4095, 4096, 4097, 16383, 16384, 70000]) {
      for (const unit of ['a', 'é', '日']) {
        const text = unit.repeat(length);
        assert.equal(decodeValue(encodeValue(text)), text, `${length} times ${unit}`);
        assert.equal(decodeValue(encodeValue(`a${text}`)), `a${text}`);
      }
    }
  });

  it('uses the shortest form of the length although the bytes are more than the characters', () => {
    assert.equal(encodeValue('é'.repeat(15))[0], 0x80 | 30);
    assert.deepEqual([...encodeValue('é'.repeat(16)).subarray(0, 2)], [0x9f, 32]);
    assert.deepEqual([...encodeValue('é'.repeat(64)).subarray(0, 3)], [0x9f, 0x80, 0x01]);
  });

  it('replaces lone surrogates, so that what is sent is always UTF-8', () => {
    const high = '\ud83d';
    for (const text of [
      high,
      `${high}a`,
      `a\ude80`,
      `${high}${'b'.repeat(40)}`,
      `${high}${'c'.repeat(5000)}`,
    ]) {
      assert.equal(decodeValue(encodeValue(text)), text.toWellFormed());
      assert.deepEqual(decodeValue(encodeValue({ [text]: 1 })), { [text.toWellFormed()]: 1 });
    }
  });
});

describe('encoding of maps', () => {
  it('leaves out what is undefined', () => {
    assert.equal(hexOf({ a: undefined, b: 1, c: undefined }), 'c1816201');
  });

  it('is right for every number of keys around the limits of its forms', () => {
    for (const count of [0, 1, 29, 30, 31, 32, 127, 128, 129, 5000]) {
      const map = Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, index]));
      assert.deepEqual(decodeValue(encodeValue(map)), map);
      assert.deepEqual(decodeValue(encodeValue([{ map }, 1])), [{ map }, 1]);
    }
  });

  it('is right for keys of every length', () => {
    for (let length = 0; length < 70; length++) {
      const map = { ['k'.repeat(length)]: 'v', ['é'.repeat(length)]: length };
      for (let round = 0; round < 3; round++) assert.deepEqual(decodeValue(encodeValue(map)), map);
    }
  });

  it('writes own properties only, and `__proto__` if it is one', () => {
    const inherited: unknown = Object.create({ inherited: 1 });
    assert.equal(hexOf(inherited), 'c0');
    assert.equal(hexOf(JSON.parse('{"__proto__":1}')), 'c1895f5f70726f746f5f5f01');
  });

  it('is not misled by keys that were in another order before', () => {
    const orders = [
      { temperature: 1, humidity: 2, label: { on: true } },
      { humidity: 2, label: { off: false, on: true }, temperature: 1 },
      { label: { on: 1 }, temperature: { humidity: 1 } },
    ];
    for (let round = 0; round < 20; round++) {
      for (const map of orders) assert.deepEqual(decodeValue(encodeValue(map)), map);
    }
  });
});

describe('encoding of other objects', () => {
  it('writes all kinds of byte containers as bytes', () => {
    const bytes = Uint8Array.of(9, 1, 2, 9);
    const inner = bytes.subarray(1, 3);
    const view = new DataView(bytes.buffer, 1, 2);
    const buffer = Uint8Array.of(1, 2).buffer;
    for (const value of [inner, Buffer.from(inner), buffer, view]) assert.equal(hexOf(value), 'a20102');
    assert.equal(hexOf({ raw: inner }), 'c183726177a20102');
  });

  it('writes other typed arrays as arrays of numbers', () => {
    assert.equal(hexOf(Float32Array.of(1, 23.5)), 'e201400000bc41');
    assert.equal(hexOf(BigInt64Array.of(-1n)), 'e121');
    assert.equal(hexOf(Uint8ClampedArray.of(7)), 'e107');
  });

  it('writes Map as map, Set as array and Date as text', () => {
    const map = new Map<string, unknown>([
      ['b', 1],
      ['gone', undefined],
      ['a', new Set(['x'])],
    ]);
    assert.equal(hexOf(map), 'c28162018161e18178');
    assert.equal(decodeValue(encodeValue(new Date(0))), '1970-01-01T00:00:00.000Z');
  });

  it('unwraps boxed primitives', () => {
    assert.equal(hexOf([Object(5), Object('x'), Object(true), Object(5n)]), 'e4058178' + '61' + '05');
  });

  it('asks toJSON() once, after it has looked for bytes', () => {
    class Reading {
      constructor(readonly inner: unknown) {}
      toJSON(): unknown {
        return this.inner;
      }
    }
    assert.equal(hexOf(new Reading(22)), '16');
    assert.equal(hexOf({ a: new Reading(undefined) }), 'c1816162');
    assert.equal(hexOf(new Reading(Uint8Array.of(1))), 'a101');
    assert.equal(hexOf({ shown: 1, hidden: () => 2, toJSON: () => ['own'] }), 'e1836f776e');
    assert.deepEqual(decodeValue(encodeValue(new Reading(new Reading(1)))), { inner: 1 });
  });

  it('writes null for undefined that is not in a map', () => {
    assert.equal(hexOf(undefined), '62');
    assert.equal(hexOf([undefined, 1]), 'e26201');
    assert.equal(hexOf(new Array(2)), 'e26262');
  });

  it('knows the objects of another realm', () => {
    const foreign: unknown = runInNewContext(
      '({ map: { a: 1 }, list: [1], bytes: new Uint8Array([1, 2]), date: new Date(0), set: new Set([1]), entries: new Map([["k", 1]]) })',
    );
    assert.deepEqual(decodeValue(encodeValue(foreign)), {
      map: { a: 1 },
      list: [1],
      bytes: Buffer.of(1, 2),
      date: '1970-01-01T00:00:00.000Z',
      set: [1],
      entries: { k: 1 },
    });
  });

  it('takes objects without a prototype', () => {
    const bare = Object.assign(Object.create(null) as object, { a: 1 });
    assert.equal(hexOf(bare), 'c1816101');
  });
});

describe('encoding into a buffer that has to grow', () => {
  const keys = Array.from({ length: 10 }, (_, index) => `${'k'.repeat(29)}${index}`);
  const map = Object.fromEntries(keys.map((key, index) => [key, index % 2 ? 'v'.repeat(16) : 0.1]));

  it('is right wherever the end of the old one falls', () => {
    // Past the first two sizes of the buffer, with the longest of what is written without asking for room.
    for (const count of [40, 150]) {
      for (let padding = 0; padding < 180; padding++) {
        const value = ['p'.repeat(padding), ...Array.from({ length: count }, () => map)];
        assert.deepEqual(decodeValue(encodeValue(value)), value);
      }
    }
  });

  it('is right where many maps end at the end of the old one, each with a count that takes more than the tag', () => {
    const many = Object.fromEntries(Array.from({ length: 31 }, (_, index) => [`${index}`, index]));
    let nested: object = { ...many, last: 'v'.repeat(16) };
    for (let level = 0; level < 62; level++) nested = { ...many, nested };
    const size = encodeValue(nested).length;
    for (let padding = 16200 - size; padding < 16400 - size; padding++) {
      encodeValue('to the end of a block'.repeat(780));
      const value = ['p'.repeat(padding), nested];
      assert.deepEqual(decodeValue(encodeValue(value)), value);
    }
  });
});
