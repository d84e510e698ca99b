import type { DeviceId } from '../types';

/** The key of a user's thing in a map, by its name. Two users' things never share a key. */
export function userKey(user: string, name: string): string {
  return `${user.length}:${user}/${name}`;
}

/** The key of a user's device in a map. Two devices never share a key. */
export function deviceKey({ user, device }: DeviceId): string {
  return userKey(user, device);
}
