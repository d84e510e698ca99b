import type { NodeAPI } from 'node-red';
import { errorText, deviceKey, type ConnectedDevice, type DeviceId, type IotmpServer } from '../../../src';
import { AdminRoutes } from './admin-route';
import { serverLinkOf } from './server-link';

/** What the editor is told of a device. */
interface DeviceEntry {
  user: string;
  device: string;
  connected: boolean;
}

/** What the editor is told of a resource: what it does, and what was last seen of it. */
interface ResourceEntry {
  name: string;
  fn: number | null;
  last?: unknown;
}

/**
 * Serves the pickers of the editor: devices and their resources. It asks devices for nothing but DESCRIBE of
 * the whole device, which acts on nothing; states are the last known ones (`protocol.md` section 5). It lists the
 * addresses that the server has blocked, and lifts a block for editor users who may change servers.
 */
export function mountAdminApi(RED: NodeAPI): void {
  const routes = new AdminRoutes(RED);
  routes.read('/iotmp/servers/:id/devices', 'admin devices', (request, response) => {
    const server = findServer(RED, param(request, 'id'));
    if (server === undefined) response.sendStatus(404);
    else response.json(deviceEntries(server));
  });
  routes.read(
    '/iotmp/servers/:id/devices/:user/:device/resources',
    'admin resources',
    async (request, response) => {
      const server = findServer(RED, param(request, 'id'));
      const device = server?.device({ user: param(request, 'user'), device: param(request, 'device') });
      if (device === undefined) {
        response.sendStatus(404);
        return;
      }
      try {
        const resources = await resourceEntries(device);
        response.type('json').send(jsonText({ resources }));
      } catch (error) {
        response.status(504).json({ error: errorText(error) });
      }
    },
  );
  routes.read('/iotmp/servers/:id/blocks', 'admin blocks', (request, response) => {
    const server = findServer(RED, param(request, 'id'));
    if (server === undefined) response.sendStatus(404);
    else response.json(server.blockedAddresses);
  });
  routes.act({
    method: 'delete',
    path: '/iotmp/servers/:id/blocks/:address',
    place: 'admin lift',
    action: 'LiftBlock',
    act: (request, { server }) => {
      const target = param(request, 'address');
      return server.liftBlock(target)
        ? { status: 200, body: server.blockedAddresses, target }
        : { status: 404 };
    },
  });
}

function param(request: { params: Record<string, string | string[]> }, name: string): string {
  const value = request.params[name];
  return typeof value === 'string' ? value : '';
}

function findServer(RED: NodeAPI, id: string): IotmpServer | undefined {
  return serverLinkOf(RED, id)?.server;
}

function deviceEntries(server: IotmpServer): DeviceEntry[] {
  const entries = new Map<string, DeviceEntry>();
  const add = ({ user, device }: DeviceId, connected: boolean): unknown =>
    entries.set(deviceKey({ user, device }), { user, device, connected });
  for (const device of server.registered) add(device, false);
  for (const device of server.devices) add(device, true);
  return [...entries.values()];
}

/** JSON knows no integers past 2^53: they become text. */
function jsonText(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? String(item) : item));
}

async function resourceEntries(device: ConnectedDevice): Promise<ResourceEntry[]> {
  const { resources } = await device.describe();
  return resources.map(({ name, fn }) => {
    const known = device.lastKnown.get(name);
    const last = known?.output ?? known?.input;
    return { name, fn: fn ?? null, ...(last === undefined ? {} : { last }) };
  });
}
