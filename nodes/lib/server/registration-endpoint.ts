import type { NodeAPI } from 'node-red';
import { IotmpError, type AcceptanceRequest, type Directory } from '../../../src';
import { AdminRoutes, type AdminDeed } from './admin-route';
import { serverLinkOf } from './server-link';

/**
 * Serves the registration of devices by their next login, whether the API is served or not:
 *
 * - `GET /iotmp/servers/:id/registrations`: the logins that are awaited, and where what they register is kept.
 * - `POST` with `{"user", "device", "address", "replace"}` as JSON: accepts the next login of this device from this address
 *   within two minutes, and answers with the same list.
 * - `DELETE /iotmp/servers/:id/registrations/:window`: awaits a login no more.
 *
 * No answer has a credential in it.
 */
export function mountRegistrationEndpoint(RED: NodeAPI): void {
  const routes = new AdminRoutes(RED);
  const path = '/iotmp/servers/:id/registrations';
  routes.read(path, 'admin registrations', async (request, response) => {
    const directory = serverLinkOf(RED, request.params.id)?.directory;
    if (directory === undefined) response.sendStatus(404);
    else response.json(await listOf(directory));
  });
  routes.act({
    method: 'post',
    path,
    place: 'admin register',
    action: 'AcceptNextLogin',
    act: ({ body }, { directory }) => {
      const wanted = acceptanceRequest(body);
      if (wanted !== undefined) return accept(directory, wanted);
      return { status: 400, body: { error: 'user, device and address are texts' } };
    },
  });
  routes.act({
    method: 'delete',
    path: `${path}/:window`,
    place: 'admin register no more',
    action: 'CancelNextLogin',
    act: async ({ params }, { directory }) => {
      const { provisioning } = directory;
      const window = provisioning.windows.find(({ id }) => id === params.window);
      if (window === undefined || !provisioning.cancel(window.id)) return { status: 404 };
      return { status: 200, body: await listOf(directory), target: `${window.user}/${window.device}` };
    },
  });
}

async function listOf(directory: Directory): Promise<object> {
  const storage = await directory.storage();
  return { windows: directory.provisioning.windows, storage };
}

async function accept(directory: Directory, wanted: AcceptanceRequest): Promise<AdminDeed> {
  const target = `${wanted.user}/${wanted.device}`;
  try {
    directory.provisioning.acceptNextLogin(wanted);
  } catch (error) {
    if (!(error instanceof IotmpError)) throw error;
    const { statusCode: status, message, code } = error;
    return { status, body: { error: message, code }, target };
  }
  return { status: 200, body: await listOf(directory), target };
}

function acceptanceRequest(body: unknown): AcceptanceRequest | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { user, device, address, replace }: Partial<Record<keyof AcceptanceRequest, unknown>> = body;
  if (typeof user !== 'string' || typeof device !== 'string' || typeof address !== 'string') return undefined;
  return { user, device, address, replace: replace === true };
}
