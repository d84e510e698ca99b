import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import fc from 'fast-check';
import { deviceKey, userKey } from '../../../src/util/device-key';

describe('keys of what users have', () => {
  it('differ for any two users or names', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '/', ':', '1'), maxLength: 4 });
    fc.assert(
      fc.property(text, text, text, text, (user, name, otherUser, otherName) => {
        const isSame = user === otherUser && name === otherName;
        assert.equal(userKey(user, name) === userKey(otherUser, otherName), isSame);
      }),
    );
  });

  it('are of the name of a device', () => {
    assert.equal(deviceKey({ user: 'anna', device: 'pump' }), userKey('anna', 'pump'));
  });
});
