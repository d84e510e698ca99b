import type { NodeAPI } from 'node-red';
import { IotmpError, type AcceptanceRequest, type Directory } from '../../../src';
import { AdminRoutes, type AdminRequest, type AdminResponse } from './admin-route';
import { ServerLink } from './server-link';

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
    const directory = directoryOf(RED, request);
    if (directory === undefined) response.sendStatus(404);
    else await send(directory, response);
  });
  routes.act('post', path, 'admin register', async (request, response) => {
    const directory = directoryOf(RED, request);
    const wanted = acceptanceRequest(request.body);
    if (directory === undefined) response.sendStatus(404);
    else if (wanted === undefined) response.status(400).json({ error: 'user, device and address are texts' });
    else if (accept(directory, wanted, response)) await send(directory, response);
  });
  routes.act('delete', `${path}/:window`, 'admin register no more', async (request, response) => {
    const directory = directoryOf(RED, request);
    const { window } = request.params;
    const id = typeof window === 'string' ? window : '';
    if (directory?.provisioning.cancel(id) !== true) response.sendStatus(404);
    else await send(directory, response);
  });
}

function directoryOf(RED: NodeAPI, { params }: AdminRequest): Directory | undefined {
  const node: unknown = typeof params.id === 'string' ? RED.nodes.getNode(params.id) : undefined;
  if (typeof node !== 'object' || node === null || !('link' in node)) return undefined;
  return node.link instanceof ServerLink ? node.link.directory : undefined;
}

async function send(directory: Directory, response: AdminResponse): Promise<void> {
  const storage = await directory.storage();
  response.json({ windows: directory.provisioning.windows, storage });
}

/** Returns false when the request cannot be met, which is answered. */
function accept(directory: Directory, wanted: AcceptanceRequest, response: AdminResponse): boolean {
  try {
    directory.provisioning.acceptNextLogin(wanted);
    return true;
  } catch (error) {
    if (!(error instanceof IotmpError)) throw error;
    response.status(error.statusCode).json({ error: error.message, code: error.code });
    return false;
  }
}

function acceptanceRequest(body: unknown): AcceptanceRequest | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { user, device, address, replace }: Partial<Record<keyof AcceptanceRequest, unknown>> = body;
  if (typeof user !== 'string' || typeof device !== 'string' || typeof address !== 'string') return undefined;
  return { user, device, address, replace: replace === true };
}
