import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import tls from 'node:tls';
import { describe, it } from 'mocha';
import { RawDevice } from '../support/raw-device';
import { hex } from '../support/raw-message';
import { tlsWire } from '../support/raw-wire';
import { Arena, BAD, LOGIN_MS } from './support/arena';

/** The first bytes of a TLS client, as OpenSSL makes them. */
async function clientHello(): Promise<Buffer> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  client.on('error', () => undefined);
  const [socket] = (await once(server, 'connection')) as [net.Socket];
  const [hello] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return hello;
}

const NOT_TLS: Readonly<Record<string, Buffer>> = {
  'random bytes': Buffer.from('d1c9f00dbaadf00d'.repeat(40), 'hex'),
  zeros: Buffer.alloc(300),
  'IoTMP in plain text': hex('03 17 1a e3 84 616e6e61 84 70756d70 86 736563726574 08 e7 8a 01'),
  'HTTP in plain text': Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
  'an alert': hex('15 03 01 00 02 02 28'),
  'a record of another version': hex('16 09 09 00 05 01 00 00 01 03'),
  'a record of 64 KiB': Buffer.concat([hex('16 03 01 ff ff'), Buffer.alloc(65_535, 1)]),
  'application data first': hex('17 03 03 00 05 01 02 03 04 05'),
  'a hello of version 2': hex('80 2e 01 00 02 00 15 00 00 00 10 01 00 80 02 00 80'),
};

describe('the TLS port', () => {
  const arena = Arena.ofSuite();

  /** A device gets in as ever. */
  async function checkLogin(): Promise<void> {
    const device = await RawDevice.login(await tlsWire(arena.tlsPort), BAD);
    device.wire.cut();
    await device.closed;
  }

  for (const [name, bytes] of Object.entries(NOT_TLS)) {
    it(`closes for ${name}`, () =>
      arena.survives(async () => {
        const socket = await arena.socket(arena.tlsPort);
        socket.write(bytes);
        await arena.until(() => socket.ended);
        await checkLogin();
      }));
  }

  it('closes for a handshake that does not go on, or was never begun', () =>
    arena.survives(async () => {
      const hello = await clientHello();
      const began = performance.now();
      const sockets = await Promise.all(Array.from({ length: 10 }, () => arena.socket(arena.tlsPort)));
      for (const [index, socket] of sockets.entries()) {
        socket.write(hello.subarray(0, Math.floor((index / 9) * hello.length)));
      }
      await arena.until(() => sockets.every(({ ended }) => ended));
      assert.ok(performance.now() - began >= LOGIN_MS);
      await checkLogin();
    }));

  it('lets go of handshakes that are cut anywhere', () =>
    arena.survives(async () => {
      const hello = await clientHello();
      for (const length of [0, 1, 5, 6, 40, hello.length - 1, hello.length]) {
        const reset = await arena.socket(arena.tlsPort);
        reset.write(hello.subarray(0, length));
        reset.cut();
        const ended = await arena.socket(arena.tlsPort);
        ended.write(hello.subarray(0, length));
        ended.end();
        await arena.until(() => ended.ended);
      }
      await checkLogin();
    }));

  it('closes for a hello that is damaged', () =>
    arena.survives(async () => {
      const hello = await clientHello();
      for (const at of [5, 6, 9, 43, 76, 80]) {
        const damaged = Buffer.from(hello);
        damaged[at] = damaged[at]! ^ 0xff;
        const socket = await arena.socket(arena.tlsPort);
        socket.write(damaged);
        socket.write(hello);
        await arena.until(() => socket.ended);
      }
      await checkLogin();
    }));

  it('closes for a client that says nothing behind its handshake', () =>
    arena.survives(async () => {
      const device = new RawDevice(await tlsWire(arena.tlsPort), BAD);
      await device.serverEnded;
      assert.deepEqual(device.received, []);
      device.wire.cut();
      await device.closed;
    }));

  it('closes for clients of versions that are too old', () =>
    arena.survives(async () => {
      const old = tlsWire(arena.tlsPort, {
        minVersion: 'TLSv1',
        maxVersion: 'TLSv1.1',
        ciphers: 'ALL@SECLEVEL=0',
      });
      await assert.rejects(old);
      await checkLogin();
    }));
});

describe('the port without TLS', () => {
  const arena = Arena.ofSuite();

  it('closes for a TLS client at once, and answers nothing', () =>
    arena.survives(async () => {
      const socket = await arena.socket();
      socket.write(await clientHello());
      await arena.until(() => socket.ended);
      assert.equal(socket.text, '');
    }));
});
