import { errorText, StorageError } from '../../../src';
import type { NodeAPI } from 'node-red';
import { AdminRoutes } from './admin-route';
import { GatewayMount } from './gateway-mount';
import { ServerLink } from './server-link';

/** What is made for a program, and how it reaches the API. */
interface MadeToken {
  readonly user: string;
  readonly name: string;
  /** Of the API on the HTTP server of Node-RED. */
  readonly path: string;
  readonly token: string;
}

const NAME = /^[a-zA-Z0-9_]{1,50}$/;
const MAX_USER = 256;

/**
 * Serves the making of tokens: `POST /iotmp/servers/:id/tokens` with `{"user", "name", "admin"}`, for editor users who may
 * change servers. A token may do all that its user may; one of the same name counts no more. With `admin` the user is an
 * administrator from then on.
 */
export function mountTokenEndpoint(RED: NodeAPI): void {
  const routes = new AdminRoutes(RED);
  routes.act('post', '/iotmp/servers/:id/tokens', 'admin tokens', async (request, response) => {
    const id = request.params.id;
    const node = typeof id === 'string' ? servingNode(RED, id) : undefined;
    if (node === undefined) {
      response.sendStatus(404);
      return;
    }
    const body: unknown = request.body;
    const user = textMember(body, 'user') ?? node.link.server.defaultUser;
    const name = textMember(body, 'name') ?? 'editor';
    if (user === '' || user.length > MAX_USER || !NAME.test(name)) {
      response.status(400).json({ error: 'user or name is not usable' });
      return;
    }
    const admin = isObject(body) && Reflect.get(body, 'admin') === true;
    const { path } = node.api;
    try {
      const token = await node.api.createToken(user, name, request.headers.host ?? '', admin);
      response.json({ user, name, path, token } satisfies MadeToken);
    } catch (error) {
      const status = error instanceof StorageError ? error.statusCode : 503;
      response.status(status).json({ error: errorText(error) });
    }
  });
}

/** A server node that is deployed, with its API. */
function servingNode(RED: NodeAPI, id: string): { link: ServerLink; api: GatewayMount } | undefined {
  const node: unknown = RED.nodes.getNode(id);
  if (typeof node !== 'object' || node === null || !('link' in node) || !('api' in node)) return undefined;
  const { link, api } = node;
  return link instanceof ServerLink && api instanceof GatewayMount ? { link, api } : undefined;
}

function textMember(body: unknown, name: string): string | undefined {
  if (!isObject(body)) return undefined;
  const value: unknown = Reflect.get(body, name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function isObject(body: unknown): body is object {
  return typeof body === 'object' && body !== null;
}
