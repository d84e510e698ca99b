import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { callTarget } from '../../../src/services/call-target';

describe('target of a call', () => {
  const caller = { user: 'anna', device: 'pump' };

  it('is a device of the caller, and a resource in one part or several', () => {
    const relay = { user: 'anna', device: 'lamp', resource: 'gpio/4' };
    for (const form of [['lamp', 'gpio/4'], ['lamp', 'gpio', '4'], 'lamp/gpio/4']) {
      assert.deepEqual(callTarget(form, caller), relay);
    }
    assert.deepEqual(callTarget(['ñandú 1', '$fs/get/'], caller), {
      user: 'anna',
      device: 'ñandú 1',
      resource: '$fs/get/',
    });
  });

  it('may be a device of another user in an array', () => {
    const expected = { user: 'bob', device: 'lamp', resource: 'on' };
    assert.deepEqual(callTarget(['bob/lamp', 'on'], caller), expected);
    assert.deepEqual(callTarget(['/lamp', 'on'], caller), { ...expected, user: '' });
  });

  it('is refused when it names no device or no resource', () => {
    const bad = [
      undefined,
      null,
      5,
      true,
      '',
      'lamp',
      'lamp/',
      '/on',
      [],
      ['lamp'],
      ['', 'on'],
      ['lamp', ''],
    ];
    for (const form of [
      ...bad,
      ['lamp', 5],
      [1, 'on'],
      ['lamp', null],
      [['lamp'], 'on'],
      { device: 'lamp' },
    ]) {
      assert.throws(() => callTarget(form, caller), { code: 'IOTMP_ERR_PROTOCOL' });
    }
  });
});
