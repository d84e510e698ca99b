import type { UserRole } from '../../directory/user-accounts';
import type { Permissions } from '../../rights/permissions';

/** Who asks: a user, through a token that may allow less than he may do. */
export interface Principal {
  readonly user: string;
  readonly role: UserRole;
  /** Names the token: what is limited is limited for each of them. */
  readonly token: string;
  readonly permissions: Permissions;
  /** The resources of the device that a device token is for; `undefined` is all. */
  readonly resources: readonly string[] | undefined;
  /** Whether the token still counts for the same: it may expire, or be revoked or changed, while a socket is open. */
  readonly counts: () => boolean;
}

/** Whether a token reaches a resource of a device. */
export function reachesResource({ resources }: Principal, resource: string): boolean {
  return resources === undefined || resources.includes(resource);
}
