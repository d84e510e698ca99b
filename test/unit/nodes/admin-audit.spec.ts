import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, it } from 'mocha';
import helper from 'node-red-node-test-helper';
import type { NodeAPI } from 'node-red';
import { guessUntilBlocked } from '../support/guesses';
import { auditOf, linkOf, told } from './support/audit';
import { FlowBench } from './support/flow-bench';
import { serverNode, sinkNode } from './support/flows';

const STRANGER = '127.0.0.9';
const SERVER = '/iotmp/servers/server';
const WANTED = { user: 'anna', device: 'board', address: '127.0.0.1' } as const;
const ACTING = ['post', 'put', 'delete'] as const;

interface Deed {
  /** What has to be so before. */
  readonly before?: (bench: FlowBench) => Promise<unknown>;
  readonly path: string;
  readonly body?: object;
  readonly entry: readonly [action: string, target: string];
}

/** One deed of each route of the editor that acts. A new route needs one here. */
const DEEDS: Readonly<Record<string, Deed>> = {
  'post /iotmp/servers/:id/tokens': {
    path: '/tokens',
    body: { user: 'anna', name: 'app' },
    entry: ['CreateToken', 'anna/app'],
  },
  'delete /iotmp/servers/:id/blocks/:address': {
    before: (bench) => guessUntilBlocked(bench.port, STRANGER),
    path: `/blocks/${STRANGER}`,
    entry: ['LiftBlock', STRANGER],
  },
  'post /iotmp/servers/:id/registrations': {
    path: '/registrations',
    body: WANTED,
    entry: ['AcceptNextLogin', 'anna/board'],
  },
  'delete /iotmp/servers/:id/registrations/:window': {
    before: () => ask('post', '/registrations', WANTED),
    path: '/registrations/1',
    entry: ['CancelNextLogin', 'anna/board'],
  },
};

function ask(method: (typeof ACTING)[number], path: string, body: object = {}): Promise<{ status: number }> {
  return Promise.resolve(helper.request()[method](`${SERVER}${path}`).send(body));
}

/** @param user whom `adminAuth` finds */
async function start(
  properties: Record<string, unknown> = {},
  user?: object,
): Promise<{ bench: FlowBench; acting: string[] }> {
  const acting: string[] = [];
  const watch = (RED: NodeAPI): void => {
    const { httpAdmin } = RED;
    for (const method of ACTING) {
      const mount = httpAdmin[method].bind(httpAdmin) as (...args: unknown[]) => unknown;
      Object.assign(httpAdmin, {
        [method]: (path: string, ...rest: unknown[]) => {
          if (path.startsWith('/iotmp/')) acting.push(`${method} ${path}`);
          return mount(path, ...rest);
        },
      });
    }
    const needsPermission = () => (request: object, _response: object, next: () => void) => {
      if (user !== undefined) Object.assign(request, { user });
      next();
    };
    Object.assign(RED, { auth: { needsPermission } });
  };
  const bench = await FlowBench.start({}, [watch]);
  await bench.load(serverNode(bench.port, { storage: 'memory', ...properties }), sinkNode());
  await bench.listening();
  await linkOf(bench).directory.start();
  return { bench, acting };
}

async function untilServed(bench: FlowBench): Promise<void> {
  for (let turn = 0; turn < 200; turn++) {
    const { status } = await fetch(`http://127.0.0.1:${bench.httpPort}/v1/server/healthcheck`);
    if (status === 200) return;
    await delay(20);
  }
  assert.fail('the API is not served');
}

describe('what the editor does, in the audit log', () => {
  it('has a deed of each acting route in this spec', async () => {
    const { acting } = await start();
    assert.deepEqual([...new Set(acting)].sort(), Object.keys(DEEDS).sort());
  });

  for (const [route, { before, path, body, entry }] of Object.entries(DEEDS)) {
    it(`is one entry of ${route}, by the user of the editor`, async () => {
      const { bench } = await start({ api: true }, { username: 'olga', permissions: '*' });
      await untilServed(bench);
      await before?.(bench);
      const [method] = route.split(' ') as [(typeof ACTING)[number]];
      assert.equal((await ask(method, path, body)).status, 200);
      const [newest] = await auditOf(bench);
      assert.deepEqual(
        [newest?.actor, newest?.by, newest?.action, newest?.target, newest?.status, newest?.address],
        ['editor', 'olga', ...entry, 200, '127.0.0.1'],
      );
    });
  }

  it('is kept where the API is not served, too, and is by "editor" without a login', async () => {
    const { bench } = await start({ api: false }, { anonymous: true, permissions: '*' });
    await ask('post', '/registrations', WANTED);
    await ask('post', '/tokens', { user: 'anna', name: 'app', admin: true });
    assert.deepEqual(told(await auditOf(bench)), [
      'editor editor AcceptNextLogin anna/board 200',
      'editor editor CreateAdministratorToken anna/app 503',
    ]);
  });

  it('has nothing of what was asked wrongly, and no token', async () => {
    const { bench } = await start({ api: true });
    await untilServed(bench);
    const { body } = await helper.request().post(`${SERVER}/tokens`).send({ user: 'anna' });
    await ask('post', '/tokens', { name: 'a.b' });
    await ask('post', '/registrations', { ...WANTED, address: 'example.org' });
    await ask('delete', '/registrations/7');
    await ask('delete', `/blocks/${STRANGER}`);
    const entries = await auditOf(bench);
    assert.deepEqual(told(entries), ['editor editor CreateToken anna/editor 200']);
    assert.ok(!JSON.stringify(entries).includes((body as { token: string }).token));
  });
});
