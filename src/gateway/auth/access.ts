import { forbidden } from '../http/request-error';
import type { Route } from '../route';
import { grantedPermissions } from '../../rights/permissions';
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
  const isAllowed =
    id === undefined
      ? permissions.allowsSome(asset, action)
      : permissions.allows(asset, captures[id] ?? '', action);
  if (!isAllowed) throw forbidden(`the token does not allow ${action}`);
}

/**
 * Checks that a principal may do something with an asset that a call touches, and that its path does not name.
 * @throws IotmpError IOTMP_ERR_FORBIDDEN
 */
export function checkAllowed(
  { permissions }: Pick<Principal, 'permissions'>,
  asset: string,
  id: string,
  action: string,
): void {
  if (!permissions.allows(asset, id, action)) throw forbidden(`the token does not allow ${action} of ${id}`);
}
