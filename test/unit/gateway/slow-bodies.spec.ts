import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { describe, it } from 'mocha';
import { cleanUp } from '../../support/clean-up';
import { GatewayBench } from './support/gateway-bench';

/** A request whose body is sent as the test says. */
class SlowRequest {
  readonly closed: Promise<unknown>;
  #answer = '';
  readonly #socket: net.Socket;
  readonly #bench: GatewayBench;

  constructor(bench: GatewayBench, method: string, path: string, headers: readonly string[]) {
    this.#bench = bench;
    this.#socket = net.connect(bench.port, '127.0.0.1');
    cleanUp(() => this.#socket.destroy());
    this.#socket.on('error', () => undefined);
    this.#socket.on('data', (chunk: Buffer) => {
      this.#answer += chunk.toString('latin1');
    });
    this.closed = once(this.#socket, 'close');
    this.send([`${method} ${path} HTTP/1.1`, 'Host: x', ...headers, '', ''].join('\r\n'));
  }

  get answer(): string {
    return this.#answer.split('\r\n', 1)[0] ?? '';
  }

  get isClosed(): boolean {
    return this.#socket.closed;
  }

  send(text: string): void {
    this.#socket.write(text);
  }

  /** Sends something each second, for so long. */
  async drip(text: string, ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 1_000) {
      this.send(text);
      await this.#settled();
      await this.#bench.broker.clock.advance(1_000);
    }
  }

  /** What was sent has come to the server, or would have. */
  async #settled(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await this.#bench.broker.clock.settle();
  }

  async begin(): Promise<void> {
    const { clock } = this.#bench.broker;
    const before = clock.pending;
    await this.#bench.until(() => clock.pending > before);
  }
}

const JSON_TYPE = 'Content-Type: application/json';

async function assertCut(bench: GatewayBench, request: SlowRequest): Promise<void> {
  await bench.broker.clock.advance(29_999);
  assert.equal(request.isClosed, false);
  await bench.broker.clock.advance(1);
  await request.closed;
  assert.equal(request.answer, 'HTTP/1.1 408 Request Timeout');
  await bench.until(() => bench.metric('iotmp_http_requests_total').includes('status="408"'));
}

describe('a body that stands still', () => {
  for (const [what, headers] of [
    ['of a known length', ['Content-Length: 5000']],
    ['in chunks', ['Transfer-Encoding: chunked']],
  ] as const) {
    it(`is cut after 30 s without a token, ${what}`, async () => {
      const bench = await GatewayBench.start();
      const request = new SlowRequest(bench, 'POST', '/oauth/token', [JSON_TYPE, ...headers]);
      await request.begin();
      await assertCut(bench, request);
    });

    it(`is cut after 30 s with a token, ${what}`, async () => {
      const bench = await GatewayBench.start();
      const auth = `Authorization: Bearer ${bench.token}`;
      const request = new SlowRequest(bench, 'PUT', '/v1/users/anna/properties/p', [
        JSON_TYPE,
        auth,
        ...headers,
      ]);
      await request.begin();
      await assertCut(bench, request);
    });

    it(`is cut after 30 s in an upload, ${what}`, async () => {
      const bench = await GatewayBench.start();
      const auth = `Authorization: Bearer ${bench.token}`;
      assert.equal((await bench.post('/v1/users/anna/storages', { storage: 's' })).status, 200);
      const request = new SlowRequest(bench, 'PUT', '/v1/users/anna/storages/s/files/f', [auth, ...headers]);
      await request.begin();
      await assertCut(bench, request);
    });
  }

  it('is one that drips, too', async () => {
    const bench = await GatewayBench.start();
    const request = new SlowRequest(bench, 'POST', '/oauth/token', [JSON_TYPE, 'Content-Length: 5000']);
    await request.begin();
    await request.drip(' ', 29_000);
    assert.equal(request.isClosed, false);
    await request.drip(' ', 1_000);
    await request.closed;
    assert.equal(request.answer, 'HTTP/1.1 408 Request Timeout');
  });

  it('is not one that is slow: 1 KiB in 30 s is enough', async () => {
    const bench = await GatewayBench.start();
    const request = new SlowRequest(bench, 'POST', '/oauth/token', [JSON_TYPE, 'Content-Length: 8192']);
    await request.begin();
    await request.drip(' '.repeat(64), 120_000);
    assert.equal(request.isClosed, false);
    request.send(' '.repeat(8_192 - 120 * 64));
    await bench.until(() => request.answer !== '');
    assert.equal(request.answer, 'HTTP/1.1 400 Bad Request');
  });
});
