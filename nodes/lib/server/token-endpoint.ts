import { errorText, StorageError } from '../../../src';
import type { NodeAPI } from 'node-red';
import { AdminRoutes } from './admin-route';
import { GatewayMount } from './gateway-mount';

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
  routes.act({
    method: 'post',
    path: '/iotmp/servers/:id/tokens',
    place: 'admin tokens',
    action: 'CreateToken',
    act: async ({ params, headers, body }, { server }) => {
      const api = apiOf(RED, params.id);
      if (api === undefined) return { status: 404 };
      const user = textMember(body, 'user') ?? server.defaultUser;
      const name = textMember(body, 'name') ?? 'editor';
      if (user === '' || user.length > MAX_USER || !NAME.test(name)) {
        return { status: 400, body: { error: 'user or name is not usable' } };
      }
      const admin = isObject(body) && Reflect.get(body, 'admin') === true;
      const deed = {
        target: `${user}/${name}`,
        action: admin ? 'CreateAdministratorToken' : 'CreateToken',
      };
      try {
        const token = await api.createToken(user, name, headers.host ?? '', admin);
        return { ...deed, status: 200, body: { user, name, path: api.path, token } satisfies MadeToken };
      } catch (error) {
        const status = error instanceof StorageError ? error.statusCode : 503;
        return { ...deed, status, body: { error: errorText(error) } };
      }
    },
  });
}

/** The API of a server node. */
function apiOf(RED: NodeAPI, id: unknown): GatewayMount | undefined {
  const node: unknown = typeof id === 'string' ? RED.nodes.getNode(id) : undefined;
  if (typeof node !== 'object' || node === null || !('api' in node)) return undefined;
  return node.api instanceof GatewayMount ? node.api : undefined;
}

function textMember(body: unknown, name: string): string | undefined {
  if (!isObject(body)) return undefined;
  const value: unknown = Reflect.get(body, name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function isObject(body: unknown): body is object {
  return typeof body === 'object' && body !== null;
}
