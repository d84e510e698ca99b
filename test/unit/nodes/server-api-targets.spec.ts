import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { describe, it } from 'mocha';
import { FlowBench } from './support/flow-bench';
import { serverNode } from './support/flows';

const PATIENCE_MS = 5000;

/** The statuses of all answers to bytes that are sent as they are, until the server ends the connection. */
async function statusesOf(bench: FlowBench, text: string): Promise<number[]> {
  const socket = net.connect(bench.httpPort, '127.0.0.1');
  socket.on('error', () => undefined);
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
  socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error('no answer')));
  socket.write(text);
  await once(socket, 'close');
  return [...answer.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => Number(status));
}

/** A request that is the last of its connection. */
function request(method: string, target: string, more = '', body = ''): string {
  return `${method} ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${more}\r\n${body}`;
}

async function start(config: object): Promise<FlowBench> {
  const bench = await FlowBench.start();
  await bench.load(serverNode(bench.port, { api: true, ...config }));
  const { apiPath = '' } = config as { apiPath?: string };
  const giveUpAt = Date.now() + PATIENCE_MS;
  for (;;) {
    const [status] = await statusesOf(bench, request('GET', `${apiPath}/v1/server/version`));
    if (status === 200) return bench;
    assert.ok(Date.now() < giveUpAt, 'the API is never served');
    await setImmediate();
  }
}

describe('a target that no program sends', () => {
  it('leads to no route that it does not name, and is answered', async () => {
    const bench = await start({});
    const expected: [target: string, status: number][] = [
      ['/v1/users/anna', 401],
      ['/%76%31/users/anna', 401],
      ['//v1/users/anna', 404],
      ['/v1//users/anna', 404],
      ['/V1/users/anna', 404],
      ['/v1%2Fusers%2Fanna', 404],
      ['/v1%2fusers/anna', 404],
      ['/v1/users%2Fanna', 404],
      ['/v1/../v1/users/anna', 400],
      ['/v1/users/../users/anna', 400],
      ['/v1/users/%2e%2e/users/anna', 400],
      ['/v1/users/anna%00', 400],
      ['/v1/users/%zz', 400],
      ['/v1/users/anna;x=1', 401],
      ['/v1/users/anna\\..\\bert', 401],
      [`/v1/users/${'a'.repeat(9000)}`, 414],
      [`/v1/users/${'a'.repeat(20_000)}`, 431],
      ['*', 404],
    ];
    for (const [target, status] of expected) {
      assert.deepEqual(await statusesOf(bench, request('GET', target)), [status], target.slice(0, 60));
    }
  });

  it('is no way out of the path of the API, nor around it', async () => {
    const bench = await start({ apiPath: '/api' });
    const expected: [target: string, status: number][] = [
      ['/api/v1/users/anna', 401],
      ['/v1/users/anna', 404],
      ['/apiv1/users/anna', 404],
      ['/api/../v1/users/anna', 404],
      ['/api/%2e%2e/v1/users/anna', 404],
      ['/x/../api/v1/users/anna', 404],
      ['/api//v1/users/anna', 404],
    ];
    for (const [target, status] of expected) {
      assert.deepEqual(await statusesOf(bench, request('GET', target)), [status], target);
    }
  });
});

describe('a request in a form that no program uses', () => {
  it('is one request, whatever its body looks like', async () => {
    const bench = await start({});
    const version = '/v1/server/version';
    const inner = request('GET', '/metrics');
    const length = `Content-Length: ${inner.length}\r\n`;
    assert.deepEqual(await statusesOf(bench, request('GET', version, length, inner)), [200]);
    assert.deepEqual(await statusesOf(bench, request('GET', '/v1/users', length, inner)), [401]);
    assert.deepEqual(await statusesOf(bench, request('DELETE', version, length, inner)), [405]);
    const both = `${length}Transfer-Encoding: chunked\r\n`;
    assert.deepEqual(
      await statusesOf(bench, request('POST', '/oauth/token', both, `0\r\n\r\n${inner}`)),
      [400],
    );
    const keep = `GET ${version} HTTP/1.1\r\nHost: x\r\n${length}\r\n${inner}`;
    assert.deepEqual(await statusesOf(bench, keep + request('GET', version)), [200, 200]);
  });

  it('is told to go on where it asks', async () => {
    const bench = await start({});
    const form = 'Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n';
    const asks = request('POST', '/oauth/token', `${form}Expect: 100-continue\r\n`, 'a=b');
    assert.deepEqual(await statusesOf(bench, asks), [100, 400]);
    const odd = request('POST', '/oauth/token', `${form}Expect: wonders\r\n`, 'a=b');
    assert.deepEqual(await statusesOf(bench, odd), [417]);
  });
});
