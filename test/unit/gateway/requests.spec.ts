import assert from 'node:assert/strict';
import net from 'node:net';
import { once } from 'node:events';
import { describe, it } from 'mocha';
import { Type } from '../support/raw-message';
import { errorOf, GatewayBench } from './support/gateway-bench';
import { sessionOf } from '../support/device-session';

const V3 = '/v3/users/anna/devices/pump/resources';

describe('request', () => {
  it('is left alone when its path is not one of the gateway', async () => {
    const bench = await GatewayBench.start();
    const paths = ['/', '/flows', '/ui/v1/users', '/openapi', '/%', '/..', '/v4/users', '/v10/users'];
    for (const path of paths) assert.equal((await bench.get(path)).status, 418, path);
    assert.deepEqual(bench.foreign, paths);
  });

  it('for an unknown path of the gateway is answered as JSON', async () => {
    const bench = await GatewayBench.start();
    for (const path of [
      '/v1/users/',
      '/v1/users/anna/nothing',
      '/v3/users//anna/devices',
      '/oauth/none',
      '/v2/server?x=1',
      '/v1',
      '/v1/?x=1',
      '/v2/hook',
      '/v3/a/b/c',
    ]) {
      const answer = await bench.get(path);
      assert.equal(answer.status, 404, path);
      assert.equal(errorOf(answer), 'there is nothing at this path');
    }
  });

  it('cannot trick its way with a path', async () => {
    const bench = await GatewayBench.start();
    const device = await bench.device();
    for (const path of [
      `${V3}/../../../../bert/devices`,
      `${V3}/a%2F..%2Fb`,
      `${V3}/%2e%2e/x`,
      `${V3}/a%00b`,
      `${V3}/%zz`,
      `${V3}/%ff`,
      `${V3}/./x`,
    ]) {
      const answer = await bench.get(path);
      assert.equal(answer.status, 400, path);
      assert.match(answer.type ?? '', /json/);
    }
    assert.equal((await bench.get(`/v1/users/${'x'.repeat(9000)}`)).status, 414);
    assert.deepEqual(device.acts, []);
  });

  it('is decoded once and not twice', async () => {
    const bench = await GatewayBench.start();
    const device = await bench.device({ '%2e%2e': { fn: 4, run: (input) => input } });
    assert.equal((await bench.post(`${V3}/%252e%252e`, 1)).status, 200);
    assert.equal(device.all(Type.RUN).at(-1)?.resource, '%2e%2e');
  });

  it('with another method is refused with those that are served', async () => {
    const bench = await GatewayBench.start();
    const answer = await bench.ask('DELETE', '/v1/users/anna/devices');
    assert.equal(answer.status, 405);
    assert.equal(answer.headers.allow, 'GET, POST, HEAD, OPTIONS');
    assert.match(errorOf(answer) ?? '', /DELETE/);
    const options = await bench.ask('OPTIONS', '/v1/users/anna/devices', { token: null });
    assert.equal(options.status, 204);
    assert.equal(options.headers['access-control-allow-origin'], undefined);
  });

  it('for a path that takes only WebSockets is told to upgrade', async () => {
    const bench = await GatewayBench.start();
    for (const path of ['/v1/users/anna/events', '/v2/users/anna/events?authorization=x']) {
      const answer = await bench.get(path, { token: null });
      assert.equal(answer.status, 426);
      assert.deepEqual([answer.headers.upgrade, answer.headers.connection], ['websocket', 'Upgrade']);
      assert.equal(errorOf(answer), 'this path takes WebSockets');
      const head = await bench.ask('HEAD', path);
      assert.deepEqual([head.status, head.bytes.length], [426, 0]);
      const other = await bench.post(path, {});
      assert.deepEqual([other.status, other.headers.allow], [405, 'GET, HEAD, OPTIONS']);
      assert.equal((await bench.ask('OPTIONS', path)).status, 204);
    }
    assert.equal((await bench.get('/v1/users/anna/events/none')).status, 404);
  });

  it('of HEAD is answered without a body', async () => {
    const bench = await GatewayBench.start();
    const answer = await bench.ask('HEAD', '/v1/users/anna/devices');
    assert.equal(answer.status, 200);
    assert.equal(answer.bytes.length, 0);
    assert.ok(Number(answer.headers['content-length']) > 2);
  });

  it('of HEAD does nothing, where GET may', async () => {
    const bench = await GatewayBench.start();
    const device = await bench.device({ reset: { fn: 1, run: () => undefined } });
    await bench.ask('PUT', '/v3/users/anna/devices/pump/callback', {
      body: { actions: { set_property: 'p' } },
    });
    for (const path of [
      `${V3}/reset`,
      '/v2/users/anna/devices/pump/reset',
      '/v3/users/anna/devices/pump/callback/data?a=1',
    ]) {
      const answer = await bench.ask('HEAD', path);
      assert.equal(answer.status, 405, path);
      assert.ok(!String(answer.headers.allow).includes('HEAD'), path);
    }
    assert.deepEqual(device.acts, []);
    assert.equal(await bench.services.properties.get({ user: 'anna', device: 'pump' }, 'p'), undefined);
    assert.equal((await bench.ask('HEAD', V3)).status, 200);
  });

  it('with too large a body is refused, whether it says so or not', async () => {
    const bench = await GatewayBench.start({ limits: { maxBodyBytes: 1000 } });
    const device = await bench.device({ sum: { fn: 4, run: () => 1 } });
    const said = await bench.post(`${V3}/sum`, 'x'.repeat(1000));
    assert.equal(said.status, 413);
    const socket = net.connect(bench.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      `POST ${V3}/sum HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${bench.token}\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    socket.write(`7d0\r\n${'x'.repeat(2000)}\r\n`);
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    assert.match(chunk.toString(), /^HTTP\/1\.1 413 /);
    socket.destroy();
    assert.deepEqual(device.acts, []);
  });

  it('with too large a body is answered, also where the client reads only when it has sent all of it', async () => {
    const bench = await GatewayBench.start({ limits: { maxBodyBytes: 1000 } });
    const body = Buffer.alloc(8_000_000);
    for (const head of [`Content-Length: ${body.length}`, 'Transfer-Encoding: chunked']) {
      const socket = net.connect(bench.port, '127.0.0.1');
      const closed = once(socket, 'close');
      const isChunked = head.startsWith('Transfer');
      const request = `POST ${V3}/sum HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${bench.token}\r\n${head}\r\n\r\n`;
      socket.write(isChunked ? `${request}${body.length.toString(16)}\r\n` : request);
      await new Promise((resolve) => socket.write(body, resolve));
      socket.end(isChunked ? '\r\n0\r\n\r\n' : '');
      const chunks: Buffer[] = [];
      for await (const chunk of socket) chunks.push(chunk as Buffer);
      assert.match(Buffer.concat(chunks).toString(), /^HTTP\/1\.1 413 /);
      await closed;
    }
  });

  it('that is refused while its body does not end is cut after 5 s', async () => {
    const bench = await GatewayBench.start({ limits: { maxBodyBytes: 1000 } });
    const socket = net.connect(bench.port, '127.0.0.1');
    const closed = once(socket, 'close');
    socket.on('error', () => undefined);
    socket.write(
      `POST ${V3}/sum HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${bench.token}\r\nContent-Length: 9000\r\n\r\n`,
    );
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    assert.match(chunk.toString(), /^HTTP\/1\.1 413 /);
    await bench.broker.clock.advance(5_000);
    await closed;
  });

  it('whose client goes away is given up', async () => {
    const bench = await GatewayBench.start();
    const device = await bench.device({ sum: { fn: 4, run: () => 1 } });
    device.serves = false;
    const socket = net.connect(bench.port, '127.0.0.1');
    socket.write(
      `POST ${V3}/sum HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer ${bench.token}\r\nContent-Length: 1\r\n\r\n1`,
    );
    await device.next(Type.RUN);
    assert.equal(sessionOf(bench.server.device({ user: 'anna', device: 'pump' })).requestCount, 1);
    socket.destroy();
    await bench.until(
      () => sessionOf(bench.server.device({ user: 'anna', device: 'pump' })).requestCount === 0,
    );
  });

  it('of a page of another origin is allowed only where that is configured', async () => {
    const bench = await GatewayBench.start({ corsOrigins: ['https://a.example'] });
    const headers = { Origin: 'https://a.example' };
    const answer = await bench.get('/v1/server/version', { headers });
    assert.equal(answer.headers['access-control-allow-origin'], 'https://a.example');
    const preflight = await bench.ask('OPTIONS', '/v1/users/anna/devices', { token: null, headers });
    assert.equal(preflight.headers['access-control-allow-headers'], 'Authorization, Content-Type');
    const other = await bench.get('/v1/server/version', { headers: { Origin: 'https://b.example' } });
    assert.equal(other.headers['access-control-allow-origin'], undefined);
  });
});
