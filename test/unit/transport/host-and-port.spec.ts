import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { Duplex } from 'node:stream';
import { describe, it } from 'mocha';
import { hostAndPort, remoteAddressOf } from '../../../src/transport/host-and-port';
import { closeServer, listen, portOf, socketClosed } from './fixtures';

describe('addresses for people', () => {
  it('put IPv6 in brackets', () => {
    assert.equal(hostAndPort('example.org', 25204), 'example.org:25204');
    assert.equal(hostAndPort('::1', 25204), '[::1]:25204');
  });

  it('show an IPv4 client of an IPv6 listener as IPv4', async () => {
    const server = await listen(net.createServer(), '::');
    const accepted = once(server, 'connection') as Promise<[net.Socket]>;
    const client = net.connect(portOf(server), '127.0.0.1');
    const [socket] = await accepted;
    assert.match(socket.remoteAddress ?? '', /^::ffff:/);
    assert.match(remoteAddressOf(socket), /^127\.0\.0\.1:\d+$/);
    client.destroy();
    socket.destroy();
    await socketClosed(socket);
    await closeServer(server);
  });

  it('are unknown for what is no socket, or not connected', () => {
    assert.equal(remoteAddressOf(new Duplex()), 'unknown');
    assert.equal(remoteAddressOf(new net.Socket()), 'unknown');
  });
});
