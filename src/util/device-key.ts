import type { DeviceId } from '../types';

/** One string for a device, to be the key of a map. No two devices share one. */
export function deviceKey({ user, device }: DeviceId): string {
  return `${user.length}:${user}/${device}`;
}
