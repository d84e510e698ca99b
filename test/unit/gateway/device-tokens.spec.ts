import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { DeviceTokens } from '../../../src/gateway/auth/device-tokens';
import { TokenSigner } from '../../../src/gateway/auth/token-signer';
import { openStore } from '../../../src/store/open-store';
import type { Store } from '../../../src/store/store';
import { cleanUp } from '../../support/clean-up';
import { quietRevocations } from '../support/revocations';

const PUMP = { user: 'anna', device: 'pump' };

async function twoTokens(): Promise<{ store: Store; tokens: DeviceTokens }> {
  const store = await openStore({ memory: true });
  cleanUp(() => store.close());
  const tokens = new DeviceTokens(
    Promise.resolve(store.documents),
    quietRevocations(),
    new TokenSigner('x'.repeat(32)),
  );
  for (const name of ['app', 'button']) await tokens.create(PUMP, { name });
  return { store, tokens };
}

describe('Tokens of a device', () => {
  for (const [what, remove] of [
    ['the device', (tokens: DeviceTokens) => tokens.removeAll(PUMP)],
    ['its user', (tokens: DeviceTokens) => tokens.removeAllOf(PUMP.user)],
  ] as const) {
    it(`are gone from the store when the removal of ${what} is done`, async () => {
      const { store, tokens } = await twoTokens();
      const kept = (): Promise<readonly unknown[]> =>
        store.documents.list({ collection: 'device-token', user: PUMP.user });
      assert.equal((await kept()).length, 2);
      await remove(tokens);
      assert.deepEqual(await kept(), []);
    });

    it(`have the removal of ${what} fail with the store`, async () => {
      const { store, tokens } = await twoTokens();
      await store.close();
      await assert.rejects(remove(tokens), { code: 'IOTMP_ERR_CLOSED' });
    });
  }
});
