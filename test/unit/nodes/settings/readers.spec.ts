import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import fc from 'fast-check';
import {
  booleanSetting,
  choiceSetting,
  integerSetting,
  jsonSetting,
  numberSetting,
  portSetting,
  textSetting,
} from '../../../../nodes/settings/readers';
import { IotmpError, type Value } from '../../../../src';
import { toJson } from '../../../../src/gateway/http/json-text';

const RANGE = { min: 1, max: 10, fallback: 5 };

function assertConfig(read: () => unknown, message: RegExp): void {
  assert.throws(read, (error: unknown) => {
    assert.ok(error instanceof IotmpError);
    assert.equal(error.code, 'IOTMP_ERR_CONFIG');
    assert.match(error.message, message);
    return true;
  });
}

describe('settings of nodes', () => {
  it('are texts without space around them', () => {
    assert.deepEqual([' a b\n', 5, undefined, null, true, {}, []].map(textSetting), [
      'a b',
      '5',
      '',
      '',
      '',
      '',
      '',
    ]);
  });

  it('are on or off, also by an environment variable', () => {
    assert.deepEqual(
      [true, false, 'true', 'false', '', undefined, 'yes', 1].map((value) => booleanSetting(value, true)),
      [true, false, true, false, true, true, true, true],
    );
    assert.equal(booleanSetting('junk', false), false);
  });

  it('are numbers in a range, also as text; blank is the default', () => {
    const read = (value: unknown): number => numberSetting('size', value, RANGE);
    assert.deepEqual([1, 10, '2.5', ' 3 ', '0x4'].map(read), [1, 10, 2.5, 3, 4]);
    assert.deepEqual([undefined, null, '', '  '].map(read), [5, 5, 5, 5]);
    for (const value of [0, 10.1, '11', 'x', '1 2', NaN, Infinity, true, [], {}]) {
      assertConfig(() => read(value), /^size must be a number from 1 to 10$/);
    }
  });

  it('are whole numbers', () => {
    assert.equal(integerSetting('size', '7', RANGE), 7);
    assertConfig(() => integerSetting('size', 1.5, RANGE), /^size must be a whole number from 1 to 10$/);
  });

  it('are ports; blank is off', () => {
    assert.deepEqual(
      [1, '65535', ' 80 ', '', ' ', undefined, null].map((value) => portSetting('port', value)),
      [1, 65_535, 80, undefined, undefined, undefined, undefined],
    );
    for (const value of [0, 65_536, -1, '80.5', 'http', true, {}]) {
      assertConfig(() => portSetting('port', value), /^port must be a/);
    }
  });

  it('are JSON, as text or as the value itself; blank is nothing', () => {
    assert.deepEqual(
      ['{"a":1}', ' 5 ', 'null', 5, false, { a: 1 }, [1], '', undefined, null].map((value) =>
        jsonSetting('sample', value),
      ),
      [{ a: 1 }, 5, null, 5, false, { a: 1 }, [1], undefined, undefined, undefined],
    );
    assertConfig(() => jsonSetting('sample', '{a'), /^sample is not valid JSON$/);
  });

  it('are JSON: whatever has a text comes back', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        // As texts: -0 has none of its own, and an integer past 2^53 comes back as a BigInt.
        const text = JSON.stringify(value);
        assert.equal(toJson(jsonSetting('sample', text) as Value), text);
      }),
      { examples: [[-(2 ** 53)], [[2 ** 60]], [1e21]] },
    );
  });

  it('are one of a list of words; blank is the default', () => {
    const read = (value: unknown): string => choiceSetting('kind', value, ['run', 'input'], 'run');
    assert.deepEqual(['input', '', undefined, null].map(read), ['input', 'run', 'run', 'run']);
    for (const value of ['Input', 'none', 5, true, {}]) {
      assertConfig(() => read(value), /^kind must be one of run, input$/);
    }
  });
});
