import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { hashPassword, matchesPassword } from '../../../src/directory/password-hash';
import { hashCredential, matchesCredential } from '../../../src/util/credential-hash';

describe('hash of a secret', () => {
  it('is matched by the secret and by nothing else', async () => {
    for (const secret of ['', 'secret', 'sécret', 'x'.repeat(255)]) {
      assert.ok(matchesCredential(secret, hashCredential(secret)));
      assert.ok(!matchesCredential(`${secret}x`, hashCredential(secret)));
      const kept = await hashPassword(secret);
      assert.ok(await matchesPassword(secret, kept));
      assert.ok(!(await matchesPassword(`${secret}x`, kept)));
    }
  });

  it('is another each time, and does not hold the secret', () => {
    assert.notEqual(hashCredential('secret'), hashCredential('secret'));
    assert.ok(!hashCredential('secret').includes('secret'));
  });

  it('that is none, or of an unknown kind, is matched by nothing', async () => {
    for (const kept of ['', '$$', 'sha256', 'sha256$a', 'md5$a$b', 'sha256$$']) {
      assert.equal(matchesCredential('', kept), false, kept);
      assert.equal(await matchesPassword('', kept), false, kept);
    }
    assert.equal(await matchesPassword('secret', undefined), false);
  });
});
