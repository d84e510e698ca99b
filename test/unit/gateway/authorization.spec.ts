import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { TokenSigner } from '../../../src/gateway/auth/token-signer';
import { Router } from '../../../src/gateway/http/router';
import { parseTarget } from '../../../src/gateway/http/request-target';
import type { Route } from '../../../src/gateway/route';
import { allRoutes, SOCKET_ROUTES } from '../../../src/gateway/routes/all-routes';
import type { SocketRoute } from '../../../src/gateway/sockets/socket-route';
import { GatewayBench, SECRET, type Ask } from './support/gateway-bench';

const LIMITS = { limits: { requestsPerSecond: 1e6, requestBurst: 1e6 } };
const ALL = { '*': { '*': '*' } } as const;

/** What anybody may ask for. A route that is to be public has to be named here. */
const PUBLIC: readonly string[] = [
  'GET /health',
  'GET /oauth/device/verification',
  'GET /openapi.html',
  'GET /openapi.json',
  'GET /openapi/start.js',
  'GET /openapi/swagger-ui-bundle.js',
  'GET /openapi/swagger-ui.css',
  'GET /v1/server/assets',
  'GET /v1/server/events',
  'GET /v1/server/healthcheck',
  'GET /v1/server/version',
  'POST /oauth/device/authorize',
  'POST /oauth/token',
];
/** What takes a token or a password in the body. */
const OPTIONAL: readonly string[] = ['POST /oauth/device/verification'];
/** What is about no user, or about whoever asks. */
const OF_NOBODY: readonly string[] = ['GET /v1/proxies', 'GET /v1/users'];
/** What takes more than the right to do it, as it gives others rights. */
const GIVING: readonly string[] = [
  'CreateDeviceToken',
  'CreateNamePattern',
  'CreateToken',
  'ListDeviceTokens',
  'ReadDeviceToken',
  'ReadToken',
  'UpdateNamePattern',
  'UpdateToken',
  'UpdateUser',
];

/** What makes something takes a body that names it. */
const BODIES: Readonly<Record<string, unknown>> = {
  CreateBucket: { bucket: 'x' },
  CreateDevice: { device: 'x', credentials: 'secret' },
  CreateEndpoint: { endpoint: 'x' },
  CreateGroup: { group: 'x' },
  CreateNamePattern: { id: 'x', pattern: 'board-*', until: Date.now() + 1e6 },
  CreateProduct: { product: 'x' },
  CreateProject: { project: 'x' },
  CreateStorage: { storage: 'x' },
  CreateToken: { token: 'x' },
  CreateType: { type: 'x' },
  CreateUser: { user: 'x' },
  SetProperty: { property: 'x', value: 1 },
};

type Checked = Route | SocketRoute;

const HTTP = allRoutes([], SOCKET_ROUTES);
const ROUTES: readonly Checked[] = [...HTTP, ...SOCKET_ROUTES];
const PROTECTED = ROUTES.filter(({ access }) => access === 'token' || access === 'admin');

function nameOf({ method, path }: Checked): string {
  return `${method} ${path}`;
}

/** The path of a route for something of anna's: all that it names is called `x`. */
function pathOf({ path }: Checked, user = 'anna'): string {
  return path.replace(':user', user).replace(/(:|\*\*?)\w+/g, 'x');
}

function namesIn({ path }: Checked): string[] {
  return [...path.matchAll(/(?::|\*\*?)(\w+)/g)].map(([, name = '']) => name);
}

/** What a route is about, as permissions name it. */
function idOf(route: Checked): string {
  if (route.id === 'user') return 'anna';
  return 'x';
}

/** The status that a call of a route is answered. */
async function ask(bench: GatewayBench, route: Checked, { token = bench.token }: Ask): Promise<number> {
  const path = pathOf(route);
  if (route.method !== 'SOCKET') {
    const needsBody = !['GET', 'DELETE'].includes(route.method);
    const body = needsBody ? (BODIES[route.action] ?? {}) : undefined;
    return (await bench.ask(route.method, path, { token, body })).status;
  }
  try {
    await bench.socket(path, { token });
    return 101;
  } catch (error) {
    return Number(/refused with (\d+)/.exec(String(error))?.[1]);
  }
}

async function checkAll(
  bench: GatewayBench,
  routes: readonly Checked[],
  token: string | null,
  expected: number,
): Promise<void> {
  const wrong: string[] = [];
  for (const route of routes) {
    const status = await ask(bench, route, { token });
    if (status !== expected) wrong.push(`${nameOf(route)}: ${status}`);
  }
  assert.deepEqual(wrong, []);
}

function start(): Promise<GatewayBench> {
  return GatewayBench.start(LIMITS);
}

describe('every route', () => {
  it('is protected, unless it is meant for anybody', () => {
    const open = (access: string): string[] =>
      ROUTES.filter((route) => route.access === access)
        .map(nameOf)
        .sort();
    assert.deepEqual(open('public'), [...PUBLIC].sort());
    assert.deepEqual(open('optional'), [...OPTIONAL].sort());
    assert.ok(PROTECTED.length > 150, String(PROTECTED.length));
    assert.equal(PROTECTED.length, ROUTES.length - PUBLIC.length - OPTIONAL.length);
  });

  it('that names something has permissions for just that', () => {
    for (const route of PROTECTED) {
      const names = namesIn(route).filter((name) => name !== 'user');
      if (route.id !== undefined) assert.ok(namesIn(route).includes(route.id), nameOf(route));
      else assert.deepEqual(names, [], nameOf(route));
      const owner = names[0];
      if (owner !== undefined) assert.equal(route.id, owner, nameOf(route));
    }
  });

  it('is found by its path, with what that names', () => {
    for (const routes of [HTTP, SOCKET_ROUTES]) {
      const router = new Router<Checked>(routes);
      for (const route of routes) {
        const match = router.find(parseTarget(pathOf(route)).segments);
        assert.equal(match?.routes.get(route.method), route, nameOf(route));
        assert.deepEqual(Object.keys(match.captures), namesIn(route), nameOf(route));
      }
    }
  });
});

describe('every protected route refuses', () => {
  it('whoever has no token, a wrong one, one that has expired or was revoked', async () => {
    const bench = await start();
    const [, body = ''] = bench.token.split('.');
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as {
      usr: string;
      jti: string;
      iat: number;
    };
    const signer = new TokenSigner(SECRET);
    const expired = await signer.sign({ ...claims, exp: claims.iat - 1 });
    const refresh = await signer.sign(claims, 'refresh');
    const other = await new TokenSigner('another secret of tests').sign(claims);
    const revoked = await bench.gateway.createToken('anna', 'gone', { allow: ALL });
    await bench.ask('DELETE', '/v1/users/anna/tokens/gone');
    const routes = [...PROTECTED, ...ROUTES.filter(({ access }) => access === 'optional')];
    await checkAll(bench, PROTECTED, null, 401);
    for (const token of ['wrong', expired, refresh, other, revoked])
      await checkAll(bench, routes, token, 401);
  });

  it('another user, whatever his token allows', async () => {
    const bench = await start();
    const routes = PROTECTED.filter((route) => !OF_NOBODY.includes(nameOf(route)));
    await checkAll(bench, routes, await bench.tokenOf('bert'), 403);
  });

  it('a token that allows nothing, or the same of another thing, or all but this', async () => {
    const bench = await start();
    await checkAll(bench, PROTECTED, await bench.tokenOf('anna', {}), 403);
    await checkAll(bench, PROTECTED, await bench.tokenOf('root', {}), 403);
    const named = PROTECTED.filter((route) => route.id !== undefined || route.action in BODIES);
    await checkAll(bench, named, await bench.tokenOf('anna', { '*': { other: '*' } }), 403);
    for (const route of PROTECTED) {
      const { asset, action } = route;
      const deny = { [asset]: { '*': [action] } };
      const token = await bench.gateway.createToken('anna', 'all_but_this', { allow: ALL, deny });
      await checkAll(bench, [route], token, 403);
      if (route.id === undefined) continue;
      const exact = { [asset]: { [idOf(route)]: [action] } };
      const without = await bench.gateway.createToken('anna', 'all_but_this', { allow: ALL, deny: exact });
      await checkAll(bench, [route], without, 403);
    }
  });

  it('nobody who may do just this', async () => {
    const bench = await start();
    const routes = PROTECTED.filter(({ access, action }) => access === 'token' && !GIVING.includes(action));
    for (const route of routes) {
      const token = await bench.gateway.createToken('anna', 'just_this', {
        allow: { [route.asset]: { [idOf(route)]: [route.action] } },
      });
      const status = await ask(bench, route, { token });
      assert.ok(status !== 401 && status !== 403, `${nameOf(route)}: ${status}`);
    }
  });

  it('tokens of devices, but for that device and what these are for', async () => {
    const bench = await start();
    const make = async (user: string): Promise<string> => {
      const token = await bench.tokenOf(user);
      const ofDevice = { token };
      await bench.post(`/v1/users/${user}/devices`, { device: 'x', credentials: 'secret' }, ofDevice);
      const made = await bench.post(`/v1/users/${user}/devices/x/tokens`, { token_name: 'app' }, ofDevice);
      return (made.body as { token: string }).token;
    };
    const own = await make('anna');
    const isForIt = ({ action }: Checked): boolean =>
      ['AccessDeviceResources', 'ListDeviceResources', 'ReadDevice', 'ReadDeviceStatistics'].includes(action);
    await checkAll(
      bench,
      PROTECTED.filter((route) => !isForIt(route)),
      own,
      403,
    );
    for (const route of PROTECTED.filter(isForIt)) {
      const status = await ask(bench, route, { token: own });
      assert.ok(status !== 401 && status !== 403, `${nameOf(route)}: ${status}`);
    }
    // Also where the user of the device may do it himself.
    await checkAll(bench, PROTECTED, await make('root'), 403);
    await checkAll(bench, PROTECTED, await make('bert'), 403);
  });
});
