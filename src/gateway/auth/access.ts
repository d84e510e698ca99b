import { forbidden } from '../http/request-error';
import type { Route } from '../route';
import { grantedPermissions } from './permissions';
import type { Principal } from './principal';

/** Who asks for what is public. */
export const NOBODY: Principal = Object.freeze({
  user: '',
  role: 'user',
  token: '',
  permissions: grantedPermissions(undefined, undefined),
  resources: undefined,
  counts: () => true,
});

/**
 * Checks that a principal may call a route, for what its path names.
 * @throws IotmpError IOTMP_ERR_FORBIDDEN; of what others have it does not tell whether it exists
 */
export function checkAccess(
  { user, role, permissions }: Principal,
  { access, asset, action, id }: Pick<Route, 'access' | 'asset' | 'action' | 'id'>,
  captures: Readonly<Record<string, string>>,
): void {
  if (access === 'public' || access === 'optional') return;
  if (role !== 'admin') {
    if (access === 'admin') throw forbidden('only administrators may do this');
    if (captures.user !== undefined && captures.user !== user)
      throw forbidden('this belongs to another user');
  }
  const named = id === undefined ? undefined : captures[id];
  const isAllowed =
    named === undefined ? permissions.allowsSome(asset, action) : permissions.allows(asset, named, action);
  if (!isAllowed) throw forbidden(`the token does not allow ${action}`);
}
