import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import fc from 'fast-check';
import { decodeValue } from '../../../src/codec/reading/pson-decoder';
import { shortestFloat } from '../../../src/codec/reading/shortest-float';
import { times } from '../../support/effort';

const RUNS = times(3000);

/** Digits without the point, the exponent and the zeros around. */
function digitsOf(value: number): number {
  return value.toExponential().replace(/e.*/, '').replace(/[-.]/g, '').length;
}

describe('shortest decimals of 32-bit floats', () => {
  it('are what the sensor meant', () => {
    for (const reading of [
      23.4, -7.31, 1013.25, 0.1, 0.001, 3.14, 99.9999, 1234567.5, 0.000123, 1e-7, 3.4e38, 1e10,
    ]) {
      assert.equal(shortestFloat(Math.fround(reading)), reading);
      assert.equal(shortestFloat(Math.fround(-reading)), -reading);
    }
  });

  it('leave special values alone', () => {
    for (const value of [0, -0, NaN, Infinity, -Infinity, 1, -1, 16777216])
      assert.ok(Object.is(shortestFloat(value), value));
  });

  it('round to the float, and no shorter decimal does', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.float({ noNaN: true, noDefaultInfinity: true }),
          fc.float({ min: -1000, max: 1000, noNaN: true }),
        ),
        (value) => {
          const shortest = shortestFloat(value);
          assert.equal(Math.fround(shortest), value);
          const digits = digitsOf(shortest);
          if (digits > 1) assert.notEqual(Math.fround(Number(value.toPrecision(digits - 1))), value);
        },
      ),
      { numRuns: RUNS },
    );
  });

  it('are given where they are asked for, and exact values otherwise', () => {
    const bytes = Buffer.from('4033b3bb41', 'hex');
    assert.equal(decodeValue(bytes), Math.fround(23.4625));
    assert.equal(decodeValue(bytes, { floats: 'shortest' }), 23.4625);
    assert.equal(decodeValue(bytes, { floats: 'exact' }), Math.fround(23.4625));
  });
});
