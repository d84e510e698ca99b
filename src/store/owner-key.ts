import type { PropertyOwner } from './property-store';

/**
 * What properties belong to, among all that a user has, as one text: a device by its id, an asset as `/type/motor`, the
 * user himself as nothing. No two share one: of a device whose id begins with a slash, the slash is doubled.
 */
export function ownerKey({ device, asset }: PropertyOwner): string {
  if (device !== undefined) return device.startsWith('/') ? `/${device}` : device;
  return asset === undefined ? '' : `/${asset.kind}/${asset.id}`;
}
