import type { ServerEvent } from '../../broker/event-feed';
import type { Permissions } from '../../rights/permissions';
import type { GatewayContext } from '../gateway-context';
import { mayHear } from './event-rights';

/**
 * Tells the events of a user (`platform-api.md` section 3) that a token may hear from now on; returns the function that
 * ends it. Those about a device that was made over the API also say of which product, type and group it is.
 */
export function listenToUser(
  { devices, server }: Pick<GatewayContext, 'devices' | 'server'>,
  { user, permissions }: { readonly user: string; readonly permissions: Permissions },
  listener: (event: ServerEvent) => void,
): () => void {
  return server.events.listen((event) => {
    if (event.user !== user || !mayHear(permissions, event)) return;
    const record = event.device === undefined ? undefined : devices.get({ user, device: event.device });
    if (record === undefined) {
      listener(event);
      return;
    }
    const { product, asset_type, asset_group } = record;
    listener({ product, asset_type, asset_group, ...event });
  });
}
