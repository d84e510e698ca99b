import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import helper from 'node-red-node-test-helper';
import { describe, it } from 'mocha';
import type { NodeAPI } from 'node-red';
import { FlowBench } from './support/flow-bench';
import { serverNode, sinkNode } from './support/flows';

type Method = 'get' | 'post' | 'put' | 'delete';

interface Route {
  readonly method: Method;
  readonly path: string;
}

const NODES = resolve(__dirname, '../../../nodes');
const JSON_BODY = { 'content-type': 'application/json' };

/** Who asks, and the scope of each as Node-RED has it. */
const SCOPES = { nobody: undefined, reader: ['read'], iot: ['iotmp.read'], writer: ['*'] } as const;
type Who = keyof typeof SCOPES;

/** Node-RED's own rule of scopes and permissions. */
function allows(scope: readonly string[], permission: string): boolean {
  return scope.some(
    (one) => one === '*' || one === permission || (one === 'read' && permission.endsWith('.read')),
  );
}

/** A bench with a login as `adminAuth` makes it, and the routes that the pack has mounted. */
async function start(settings: Record<string, unknown> = {}): Promise<{ routes: Route[] }> {
  const routes: Route[] = [];
  const watch = (RED: NodeAPI): void => {
    const { httpAdmin } = RED;
    for (const method of ['get', 'post', 'put', 'delete'] as const) {
      const mount = httpAdmin[method].bind(httpAdmin) as (...args: unknown[]) => unknown;
      Object.assign(httpAdmin, {
        [method]: (path: string, ...rest: unknown[]) => {
          if (rest.length > 0) routes.push({ method, path });
          return mount(path, ...rest);
        },
      });
    }
    const needsPermission =
      (permission: string) =>
      (
        { headers }: { headers: Record<string, string | undefined> },
        response: { sendStatus(code: number): void },
        next: () => void,
      ): void => {
        const scope = SCOPES[(headers.who ?? 'writer') as Who];
        if (scope !== undefined && allows(scope, permission)) next();
        else response.sendStatus(401);
      };
    Object.assign(RED, { auth: { needsPermission } });
  };
  const bench = await FlowBench.start(settings, [watch]);
  await bench.load(serverNode(bench.port), sinkNode());
  const own = routes.filter(({ path }) => path.startsWith('/iotmp/'));
  assert.ok(own.length >= 5);
  return { routes: own };
}

/** The status of an answer. Parameters are filled in with names that exist nowhere, but for the server. */
async function ask({ method, path }: Route, headers: Record<string, string>): Promise<number> {
  const filled = path.replace(':id', 'server').replace(/:\w+/g, 'none');
  const response = await helper.request()[method](filled).set(headers);
  assert.equal(response.headers['cache-control'], 'no-store', `${method} ${path}`);
  return response.status;
}

const isActing = ({ method }: Route): boolean => method !== 'get';

describe('the routes of the admin API', () => {
  it('are open by iotmp.read to see, and by iotmp.write to act', async () => {
    const { routes } = await start();
    for (const route of routes) {
      for (const who of ['nobody', 'reader', 'iot', 'writer'] as const) {
        const refused = who === 'nobody' || (who !== 'writer' && isActing(route));
        const status = await ask(route, { ...JSON_BODY, who });
        assert.equal(status === 401, refused, `${who} ${route.method} ${route.path}: ${status}`);
      }
    }
  });

  it('refuse pages of other sites, whatever they ask for', async () => {
    const { routes } = await start();
    for (const route of routes) {
      for (const origin of ['http://evil.example', 'null', 'https://127.0.0.1', 'file://', 'nonsense']) {
        assert.equal(await ask(route, { ...JSON_BODY, origin }), 403, `${origin} ${route.path}`);
      }
      const own = { host: 'red.example:1880', origin: 'https://red.example:1880' };
      assert.notEqual(await ask(route, { ...JSON_BODY, ...own }), 403, route.path);
    }
  });

  it('take JSON only where they act', async () => {
    const { routes } = await start();
    for (const route of routes.filter(isActing)) {
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp']) {
        assert.equal(await ask(route, { 'content-type': type }), 415, `${type} ${route.path}`);
      }
      assert.equal(await ask(route, {}), 415, route.path);
      assert.notEqual(
        await ask(route, { 'content-type': 'Application/JSON; charset=utf-8' }),
        415,
        route.path,
      );
    }
  });

  it('act on no GET', async () => {
    const { routes } = await start();
    const read = new Set(routes.filter((route) => !isActing(route)).map(({ path }) => path));
    for (const { path } of routes.filter(isActing)) {
      if (read.has(path)) continue;
      const filled = path.replace(':id', 'server').replace(/:\w+/g, 'none');
      assert.equal((await helper.request().get(filled)).status, 404, path);
    }
  });

  it('let in a page that httpAdminCors lists, but not for "*"', async () => {
    const origin = 'https://dash.example';
    const { routes } = await start({ httpAdminCors: { origin: [origin, '*'], methods: 'GET' } });
    for (const route of routes) {
      assert.notEqual(await ask(route, { ...JSON_BODY, origin }), 403, route.path);
      assert.equal(await ask(route, { ...JSON_BODY, origin: 'https://other.example' }), 403, route.path);
    }
  });

  it('believe in no host that a proxy names, unless Express does', async () => {
    const { routes } = await start();
    const headers = { ...JSON_BODY, origin: 'https://evil.example', 'x-forwarded-host': 'evil.example' };
    for (const route of routes) assert.equal(await ask(route, headers), 403, route.path);
  });

  it('are made in one place', () => {
    const files = readdirSync(NODES, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ts'),
    );
    const makers = files.filter((name) => readFileSync(join(NODES, name), 'utf8').includes('httpAdmin'));
    const others = makers.filter((name) =>
      /httpAdmin\b(?!Cors)/.test(readFileSync(join(NODES, name), 'utf8')),
    );
    assert.deepEqual(others, [join('lib', 'server', 'admin-route.ts')]);
  });
});
