import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describe, it } from 'mocha';
import type { Node, NodeDef, NodeInitializer } from 'node-red';
import helper from 'node-red-node-test-helper';
import { WebSocket } from 'ws';
import { cleanUp } from '../../support/clean-up';
import { temporaryFolder } from '../store/support/stores';
import { FlowBench } from './support/flow-bench';
import { devicesOf, PUMP, serverNode, sinkNode } from './support/flows';
import { patiently } from './support/patience';

const API = { api: true };
const TOKENS = '/iotmp/servers/server/tokens';
/** Real milliseconds after which a condition that a test waits for counts as missed. */
const PATIENCE_MS = 5000;
const TEMP = '/v3/users/anna/devices/pump/resources/temp';

/** Programs that ask the HTTP server of Node-RED. */
class NodeHttp {
  readonly #bench: FlowBench;

  constructor(bench: FlowBench) {
    this.#bench = bench;
  }

  get(path: string, token = ''): Promise<{ status: number; text: string }> {
    return this.send('GET', path, token);
  }

  async send(
    method: string,
    path: string,
    token: string,
    body?: string,
  ): Promise<{ status: number; text: string }> {
    const json = body === undefined ? {} : { 'Content-Type': 'application/json' };
    const headers = { Authorization: `Bearer ${token}`, Connection: 'close', ...json };
    const init = { method, headers, ...(body !== undefined && { body }) };
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`, init);
    return { status: response.status, text: await response.text() };
  }

  /** Resolves when the API answers. */
  async ready(prefix = ''): Promise<void> {
    await until(async () => (await this.get(`${prefix}/v1/server/healthcheck`)).status === 200);
  }

  get port(): number {
    return this.#bench.httpPort;
  }
}

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  const giveUpAt = Date.now() + PATIENCE_MS;
  while (!(await condition())) {
    assert.ok(Date.now() < giveUpAt, `never came true: ${String(condition)}`);
    await setImmediate();
  }
}

async function newToken(body: object = {}): Promise<{ user: string; path: string; token: string }> {
  const answer = await helper.request().post(TOKENS).send(body);
  assert.equal(answer.status, 200);
  return answer.body as { user: string; path: string; token: string };
}

async function refusal(body: object, path = TOKENS): Promise<number> {
  return (await helper.request().post(path).send(body)).status;
}

describe('the API of iotmp-server', function () {
  this.timeout(60_000);

  it('reads a sensor of a device, with a token that was made in the editor', async () => {
    const bench = await FlowBench.start();
    await bench.load(serverNode(bench.port, API), sinkNode());
    const requests = new NodeHttp(bench);
    await requests.ready();
    await bench.device(PUMP, { temp: { fn: 3, run: () => 21.5 } });
    const { user, path, token } = await newToken();
    assert.deepEqual([user, path], ['anna', '']);
    assert.deepEqual(await requests.get(TEMP, token), { status: 200, text: '21.5' });
    assert.equal((await requests.get(TEMP)).status, 401);
    const again = await newToken();
    assert.equal((await requests.get(TEMP, again.token)).status, 200);
    assert.equal((await requests.get(TEMP, token)).status, 401, 'the older one counts no more');
  });

  it('streams over a WebSocket below its path', async () => {
    const bench = await FlowBench.start({ httpNodeRoot: '/red/' });
    await bench.load(serverNode(bench.port, { ...API, apiPath: '/api/' }), sinkNode());
    const requests = new NodeHttp(bench);
    await requests.ready('/red/api');
    await bench.device(PUMP, { temp: { fn: 3, run: () => 7 } });
    const { path, token } = await newToken();
    assert.equal(path, '/red/api');
    const url = `ws://127.0.0.1:${requests.port}${path}/v3/users/anna/devices/pump/resources`;
    const socket = new WebSocket(`${url}?authorization=${token}`);
    cleanUp(() => socket.terminate());
    await once(socket, 'open');
    socket.send(JSON.stringify({ resource: 'temp', interval: 1 }));
    const [frame] = (await patiently(once(socket, 'message'), () => 'a sample')) as [Buffer];
    assert.deepEqual(JSON.parse(frame.toString()), { resource: 'temp', signal: 'data', payload: 7 });
  });

  it('is offered as soon as its storage works, where that failed at the start', async () => {
    const userDir = temporaryFolder();
    const inTheWay = join(userDir, 'iotmp');
    writeFileSync(inTheWay, 'no folder');
    const bench = await FlowBench.start({ userDir });
    await bench.load(serverNode(bench.port, { ...API, storage: 'file' }), sinkNode());
    await bench.status('server', 'red', 'status.storeUnavailable');
    await bench.listening();
    const requests = new NodeHttp(bench);
    const { status, text } = await requests.get('/v1/server/healthcheck');
    assert.deepEqual([status, text.includes('"reason":"unavailable"')], [503, true]);
    assert.equal((await requests.get('/health')).text, '', 'no words for strangers');
    assert.equal((await requests.get('/health')).status, 503);
    assert.equal((await requests.get('/v1/users')).status, 404, 'and nothing else');
    assert.equal(bench.log('error', 'server').length, 1);
    assert.deepEqual(bench.log('warn', 'server'), [], 'one line is enough');
    assert.equal(await refusal({}), 503);
    const gaps = bench.log('warn', 'server');
    assert.deepEqual([gaps.length, gaps[0]?.startsWith('the audit log has a gap')], [1, true]);
    rmSync(inTheWay);
    await bench.status('server', 'green');
    await requests.ready();
    const { token } = await newToken();
    assert.equal((await requests.get('/v1/users/anna/devices', token)).status, 200);
  });

  it('makes an administrator of a user where that is asked for, and of nobody else', async () => {
    const bench = await FlowBench.start();
    await bench.load(serverNode(bench.port, API), sinkNode());
    const requests = new NodeHttp(bench);
    await requests.ready();
    const { token } = await newToken({ admin: 'yes' });
    assert.equal((await requests.get('/metrics', token)).status, 403);
    const admin = await newToken({ name: 'boss', admin: true });
    assert.equal((await requests.get('/metrics', admin.token)).status, 200);
    const created = await requests.send('POST', '/v1/users', admin.token, '{"user":"bob"}');
    assert.deepEqual([created.status, (JSON.parse(created.text) as { role: string }).role], [200, 'user']);
    await newToken({ user: 'bob', admin: true });
    const bob = await requests.get('/v1/users/bob', admin.token);
    assert.equal((JSON.parse(bob.text) as { role: string }).role, 'admin');
  });

  it('is not offered with a secret that is too short, which the status says', async () => {
    const bench = await FlowBench.start();
    const credentials = { ...devicesOf(PUMP), apiSecret: 'short' };
    await bench.load(serverNode(bench.port, { ...API, credentials }), sinkNode());
    await bench.status('server', 'red', 'the API secret needs 16 characters');
    await bench.listening();
    assert.equal(await refusal({}), 503);
    await bench.device();
  });

  it('lets in the pages of origins that Node-RED lets in', async () => {
    const bench = await FlowBench.start({ httpNodeCors: { origin: ['http://a.test', /b/] } });
    await bench.load(serverNode(bench.port, API), sinkNode());
    const requests = new NodeHttp(bench);
    await requests.ready();
    const allowedFor = async (origin: string): Promise<string | null> => {
      const url = `http://127.0.0.1:${requests.port}/v1/server/healthcheck`;
      const { headers } = await fetch(url, { headers: { Origin: origin, Connection: 'close' } });
      return headers.get('access-control-allow-origin');
    };
    assert.equal(await allowedFor('http://a.test'), 'http://a.test');
    assert.equal(await allowedFor('http://b.test'), null);
  });

  it('keeps the files of storages beside the file of the store, over deploys', async () => {
    const userDir = temporaryFolder();
    const bench = await FlowBench.start({ userDir });
    await bench.load(serverNode(bench.port, { ...API, storage: 'file' }), sinkNode());
    const requests = new NodeHttp(bench);
    await requests.ready();
    const { token } = await newToken();
    const path = '/v1/users/anna/storages';
    assert.equal((await requests.send('POST', path, token, '{"storage":"s"}')).status, 200);
    assert.equal((await requests.send('PUT', `${path}/s/files/a/x.txt`, token, 'hello')).status, 200);
    const file = join(userDir, 'iotmp', 'server.files', 'anna', 's', 'a', 'x.txt');
    assert.equal(readFileSync(file, 'utf8'), 'hello');
    await bench.deploy('full', serverNode(bench.port, { ...API, storage: 'file' }), sinkNode());
    await requests.ready();
    assert.deepEqual(await requests.get(`${path}/s/files/a/x.txt`, token), { status: 200, text: 'hello' });
  });

  it('keeps the files of storages in memory where its store is', async () => {
    const userDir = temporaryFolder();
    const bench = await FlowBench.start({ userDir });
    await bench.load(serverNode(bench.port, { ...API, storage: 'memory' }), sinkNode());
    const requests = new NodeHttp(bench);
    await requests.ready();
    const { token } = await newToken();
    const path = '/v1/users/anna/storages';
    assert.equal((await requests.send('POST', path, token, '{"storage":"s"}')).status, 200);
    assert.equal((await requests.send('PUT', `${path}/s/files/x.txt`, token, 'hello')).status, 200);
    assert.deepEqual(await requests.get(`${path}/s/files/x.txt`, token), { status: 200, text: 'hello' });
    assert.deepEqual(readdirSync(userDir), []);
  });

  it('leaves other paths to the flows', async () => {
    const httpIn: NodeInitializer = (RED) => {
      RED.nodes.registerType('http in', function (this: Node, config: NodeDef) {
        RED.nodes.createNode(this, config);
      });
    };
    const bench = await FlowBench.start({}, [httpIn]);
    const hook = {
      id: 'hook',
      type: 'http in',

      url: '/v1/hook/:name',
      method: 'get',
      wires: [['answer']],
    };
    await bench.load(serverNode(bench.port, API), sinkNode(), hook);
    const requests = new NodeHttp(bench);
    await requests.ready();
    for (const path of ['/v1/hook/x', '/hook']) {
      const { status, text } = await requests.get(path);
      assert.deepEqual([status, text.includes(`Cannot GET ${path}`)], [404, true], 'express answers');
    }
    assert.match((await requests.get('/v1/hooks')).text, /^\{"error"/, 'no flow serves it');
  });

  it('answers in JSON below its versions where no flow does', async () => {
    const bench = await FlowBench.start();
    await bench.load(serverNode(bench.port, API), sinkNode());
    const requests = new NodeHttp(bench);
    await requests.ready();
    for (const path of ['/v1/hook', '/v2', '/v3/users/anna/nothing']) {
      const { status, text } = await requests.get(path);
      assert.equal(status, 404, path);
      assert.ok('error' in (JSON.parse(text) as object), text);
    }
  });

  it('gets the bodies as they were sent, before the editor reads them', async () => {
    const bench = await FlowBench.start();
    await bench.load(serverNode(bench.port, API), sinkNode());
    const requests = new NodeHttp(bench);
    await requests.ready();
    const got: unknown[] = [];
    await bench.device(PUMP, { led: { fn: 2, run: (value) => void got.push(value) } });
    const { token } = await newToken();
    const led = '/v3/users/anna/devices/pump/resources/led';
    for (const body of ['true', '7', '18446744073709551615', '"x"']) {
      assert.deepEqual(await requests.send('POST', led, token, body), { status: 200, text: '' });
    }
    assert.deepEqual(got, [true, 7, 2n ** 64n - 1n, 'x']);
  });

  it('leaves the listeners of the HTTP server as they were, also those that came later', async () => {
    const bench = await FlowBench.start();
    await bench.load(serverNode(bench.port, { api: false }), sinkNode());
    const requests = new NodeHttp(bench);
    const before = bench.RED.server.listeners('request');
    await bench.deploy('full', serverNode(bench.port, API), sinkNode());
    await requests.ready();
    const seen: (string | undefined)[] = [];
    const later = (request: IncomingMessage): void => void seen.push(request.url);
    bench.RED.server.on('request', later);
    await requests.ready();
    assert.ok(seen.includes('/v1/server/healthcheck'));
    await bench.deploy('full', serverNode(bench.port, { api: false }), sinkNode());
    assert.deepEqual(bench.RED.server.listeners('request'), [...before, later]);
  });

  it('is there again after a deploy, and gone when it is switched off', async () => {
    const bench = await FlowBench.start();
    await bench.load(serverNode(bench.port, API), sinkNode());
    const requests = new NodeHttp(bench);
    await requests.ready();
    const listeners = bench.RED.server.listenerCount('upgrade');
    await bench.deploy('full', serverNode(bench.port, { ...API, apiPath: '/api' }), sinkNode());
    await requests.ready('/api');
    assert.equal((await requests.get('/v1/server/healthcheck')).status, 404);
    await bench.deploy('full', serverNode(bench.port, { api: false }), sinkNode());
    assert.equal((await requests.get('/api/v1/server/healthcheck')).status, 404);
    assert.equal(bench.RED.server.listenerCount('upgrade'), listeners - 1, 'none is left behind');
    assert.equal(await refusal({}), 503);
  });

  it('makes no token for what is no user, name or server', async () => {
    const bench = await FlowBench.start();
    await bench.load(serverNode(bench.port, API), sinkNode());
    const requests = new NodeHttp(bench);
    await requests.ready();
    assert.equal(await refusal({ name: 'a.b' }), 400);
    assert.equal(await refusal({ user: 'x'.repeat(300) }), 400);
    assert.equal(await refusal({}, '/iotmp/servers/none/tokens'), 404);
    assert.equal((await newToken({ user: 'bert', name: 'mine' })).user, 'bert');
  });

  it('is one of several servers only where each has its own path', async () => {
    const bench = await FlowBench.start();
    const other = { ...serverNode(bench.port, { ...API, tcpPort: '' }), id: 'other' };
    await bench.load(serverNode(bench.port, API), other, sinkNode());
    const requests = new NodeHttp(bench);
    await requests.ready();
    await until(() => bench.log('error').some((line) => line.startsWith('errors.apiPathInUse')));
  });
});
