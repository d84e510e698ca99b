import type { ServerEvent } from '../../broker/event-feed';
import type { GatewayContext } from '../gateway-context';

/**
 * Tells the events of a user (`platform-api.md` section 3) from now on; returns the function that ends it. Those about a
 * device that was made over the API also say of which product, type and group it is.
 */
export function listenToUser(
  { devices, server }: Pick<GatewayContext, 'devices' | 'server'>,
  user: string,
  listener: (event: ServerEvent) => void,
): () => void {
  return server.events.listen((event) => {
    if (event.user !== user) return;
    const record = event.device === undefined ? undefined : devices.get({ user, device: event.device });
    if (record === undefined) {
      listener(event);
      return;
    }
    const { product, asset_type, asset_group } = record;
    listener({ product, asset_type, asset_group, ...event });
  });
}
