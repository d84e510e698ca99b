import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import fc from 'fast-check';
import { canonicalNumber, decimalNumber, parseExactJson } from '../../../src/codec/exact-json';

describe('JSON that keeps all digits', () => {
  it('has whole numbers past 2^53 as BigInt', () => {
    assert.deepEqual(parseExactJson('{"a":[9007199254740993,-9223372036854775808],"b":12}'), {
      a: [9007199254740993n, -(2n ** 63n)],
      b: 12,
    });
  });

  it('has numbers that nothing can hold as their text', () => {
    assert.deepEqual(parseExactJson('[89014103211118510720,1e999,-123456789012345678901]'), [
      '89014103211118510720',
      '1e999',
      '-123456789012345678901',
    ]);
  });

  it('has larger ones as numbers where those hold them', () => {
    assert.deepEqual(parseExactJson('[100000000000000000000,36893488147419103232,123456789012345680000]'), [
      1e20,
      2 ** 65,
      123456789012345680000,
    ]);
  });

  it('is what JSON is in all else', () => {
    const json = fc.json({ maxDepth: 3 }).filter((text) => !/(?<![.\d])\d{16,}(?![.\d])/.test(text));
    fc.assert(
      fc.property(json, (text) => {
        assert.deepEqual(parseExactJson(text), JSON.parse(text));
      }),
    );
    assert.throws(() => parseExactJson('{"a":12345678901234567'), SyntaxError);
  });

  it('never changes a digit of a whole number', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }), (number) => {
        const read = parseExactJson(`[${number}]`) as [number | bigint | string];
        assert.equal(BigInt(read[0]), number);
      }),
    );
  });
});

describe('a text that may be a number', () => {
  const rows: [text: string, canonical: number | bigint | undefined, decimal: number | undefined][] = [
    ['0', 0, 0],
    ['21.5', 21.5, 21.5],
    ['-3', -3, -3],
    ['490154203237518', 490154203237518, 490154203237518],
    ['9007199254740991', 9007199254740991, 9007199254740991],
    ['4294967295000000001', 4294967295000000001n, undefined],
    ['89014103211118510720', undefined, undefined],
    ['100000000000000000000', undefined, undefined],
    ['007', undefined, undefined],
    ['21.50', undefined, 21.5],
    ['0.30000000000000004', 0.30000000000000004, 0.30000000000000004],
    ['0.1234567890123456789', undefined, undefined],
    ['0.00000012', undefined, 0.00000012],
    ['-0', undefined, -0],
    ['1e3', undefined, undefined],
    ['+1', undefined, undefined],
    [' 1', undefined, undefined],
    ['.5', undefined, undefined],
    ['0x10', undefined, undefined],
    ['', undefined, undefined],
    ['NaN', undefined, undefined],
  ];
  for (const [text, canonical, decimal] of rows) {
    it(`${JSON.stringify(text)}: is ${canonical} where it has to come out again, ${decimal} in a query`, () => {
      assert.equal(canonicalNumber(text), canonical);
      assert.equal(decimalNumber(text), decimal);
    });
  }

  it('comes out again from every number that it becomes', () => {
    const texts = fc.oneof(
      fc.double().map(String),
      fc.bigInt().map(String),
      fc.stringMatching(/^-?[\d.]{1,25}$/),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const number = canonicalNumber(text);
        if (number !== undefined) assert.equal(String(number), text);
      }),
    );
  });
});
