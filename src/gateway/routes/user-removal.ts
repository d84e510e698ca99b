import { allSettled } from '../../directory/records';
import type { UserRecord } from '../../directory/user-accounts';
import type { GatewayContext } from '../gateway-context';
import { removeAssets } from './assets';
import { removeDevice } from '../devices/device-removal';

/** Devices that are removed at once. */
const DEVICES_AT_ONCE = 50;
/** Buckets that are removed at once. */
const BUCKETS_AT_ONCE = 100;

/**
 * Ends the logins of a user who has been disabled or has another password. Tokens count no more while he is disabled;
 * connections of his devices, sockets and event streams have ended with that.
 * @param change of the user: what it takes away is in force even if it fails
 * @throws what the change or the store throws (as a rejection)
 */
export async function endLogins(
  { sessions, users }: GatewayContext,
  user: string,
  change: Promise<unknown>,
  password?: string,
): Promise<void> {
  const [outcome] = await Promise.allSettled([change]);
  const isMade = outcome.status === 'fulfilled' && password !== undefined;
  const isHeld = outcome.status === 'rejected' && users.isChangeOwed(user);
  if (isMade || isHeld || users.isLockedOut(user)) await allSettled([change, sessions.endAll(user)]);
}

/**
 * Removes a user, with all that lets anybody act in his name, and all that he has. Devices that are registered in the
 * server's settings are not his to take along: they stay, and with them their properties, and the buckets, retained
 * messages and properties of the user, which they share with him.
 * @throws what the store throws (as a rejection); then he is locked out, and can be removed again
 */
export async function removeUser(context: GatewayContext, record: UserRecord): Promise<void> {
  const { callbacks, devices, deviceTokens, endpoints, server, sessions, tokens, users } = context;
  const { user } = record;
  // A user whose record cannot be read is locked out already.
  const disabled = users.isUnusable(user) ? undefined : users.update(record, { enabled: false });
  await Promise.allSettled([disabled]);
  // Also when the disk is full: nothing is left to come in with.
  await allSettled([
    disabled ?? Promise.resolve(),
    sessions.endAll(user),
    tokens.removeAll(user),
    deviceTokens.removeAllOf(user),
    context.directory.provisioning.patterns.removeAll(user),
  ]);
  await endpoints.removeAll(user);
  for (let left = devices.list(user); left.length > 0; left = devices.list(user)) {
    await Promise.all(
      left
        .slice(0, DEVICES_AT_ONCE)
        .map((id) => (server.isRegistered(id) ? devices.remove(id) : removeDevice(context, id))),
    );
  }
  await callbacks.removeAll(user);
  await removeAssets(context, user);
  if (!server.registered.some((id) => id.user === user)) await removeData(context, user);
  await users.remove(user);
}

async function removeData({ services }: GatewayContext, user: string): Promise<void> {
  const { buckets, properties, topics } = services;
  const some = (): ReturnType<typeof buckets.list> => buckets.list(user, { limit: BUCKETS_AT_ONCE });
  for (let found = await some(); found.length > 0; found = await some()) {
    await Promise.all(found.map((key) => buckets.remove(key)));
  }
  await Promise.all([properties.clear({ user }), topics.forget(user)]);
}
