import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Sessions } from '../../../src/gateway/auth/sessions';
import { TokenSigner } from '../../../src/gateway/auth/token-signer';
import { openStore } from '../../../src/store/open-store';
import { cleanUp } from '../../support/clean-up';
import { quietRevocations } from '../support/revocations';

const ANNA = { user: 'anna', role: 'user' } as const;
const BERT = { user: 'bert', role: 'user' } as const;

describe('Sessions of a user', () => {
  it('are 50 at most: another login ends the oldest one, and none of another user', async () => {
    const store = await openStore({ memory: true });
    cleanUp(() => store.close());
    const documents = Promise.resolve(store.documents);
    const lifetimes = { accessS: 60, refreshS: 3600 };
    const sessions = new Sessions(documents, quietRevocations(), {
      signer: new TokenSigner('x'.repeat(32)),
      lifetimes,
    });
    const idsOf = async (user: string): Promise<string[]> =>
      (await store.documents.list({ collection: 'session', user })).map(({ id }) => id);
    await sessions.open(BERT, 'host');
    await sessions.open(ANNA, 'host');
    const [oldest] = await idsOf('anna');
    for (let count = 2; count <= 50; count++) await sessions.open(ANNA, 'host');
    assert.equal(sessions.has('anna', oldest!), true);
    await sessions.open(ANNA, 'host');
    assert.equal((await idsOf('anna')).length, 50);
    assert.equal(sessions.has('anna', oldest!), false);
    assert.equal((await idsOf('bert')).length, 1);
  });
});
