import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { hex, message, Type } from '../support/raw-message';
import { Arena } from './support/arena';

/** Frames that break the rules of RFC 6455; `x` stands for a mask of zeros. */
const VIOLATIONS: Readonly<Record<string, string>> = {
  'a frame without a mask': '82 02 05 00',
  'the first reserved bit': 'c2 82 x 05 00',
  'the second reserved bit': 'a2 82 x 05 00',
  'the third reserved bit': '92 82 x 05 00',
  'the opcode 3': '83 80 x',
  'the opcode 11': '8b 80 x',
  'a ping in pieces': '09 81 x 00',
  'a ping of 126 bytes': `89 fe 007e x ${'00'.repeat(126)}`,
  'a continuation of nothing': '80 81 x 00',
  'another message within a message in pieces': '02 81 x 05 82 81 x 00',
  'a size of 2^63': '82 ff 8000000000000000 x',
  'a size of 2^53': '82 ff 0020000000000000 x',
  'a size past what is accepted': '82 ff 0000000010000000 x',
  'a close of one byte': '88 81 x 00',
  'a close with a code that is none': '88 82 x 03e7',
  'a close whose reason is not UTF-8': '88 84 x 03e8 fffe',
};

/** Frames that are allowed, though devices of the field alone send the first one. */
const ODDITIES: Readonly<Record<string, string>> = {
  'bytes in a text frame that is not UTF-8': '81 85 x 0b 01 ff 05 00',
  'a message in three pieces, with a ping between': '02 81 x 05 89 80 x 00 80 x 80 81 x 00',
  'an empty frame': '82 80 x 82 82 x 05 00',
  'two messages in a frame': '82 84 x 0b 00 05 00',
  'a size in the longest form': '82 ff 0000000000000002 x 05 00',
};

const HANDSHAKE: readonly string[] = [
  'Host: x',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Protocol: iotmp',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
];

/** Handshakes that are none, by the lines that are left out and those that come in. */
const HANDSHAKES: Readonly<Record<string, readonly string[]>> = {
  'without a key': HANDSHAKE.slice(0, -1),
  'with a key that is too short': [...HANDSHAKE.slice(0, -1), 'Sec-WebSocket-Key: AAAA'],
  'with two keys': [...HANDSHAKE, 'Sec-WebSocket-Key: BBBBBBBBBBBBBBBBBBBBBB=='],
  'of version 12': [...HANDSHAKE.filter((line) => !line.includes('Version')), 'Sec-WebSocket-Version: 12'],
  'for another protocol': [
    ...HANDSHAKE.filter((line) => !line.includes('Protocol')),
    'Sec-WebSocket-Protocol: mqtt',
  ],
  'with protocols that are none': [
    ...HANDSHAKE.filter((line) => !line.includes('Protocol')),
    'Sec-WebSocket-Protocol: ,, iotmp iotmp,',
  ],
  'to something else': [...HANDSHAKE.filter((line) => !line.startsWith('Upgrade')), 'Upgrade: h2c'],
};

function bytesOf(digits: string): Buffer {
  return hex(digits.replaceAll('x', '00000000'));
}

describe('a device over WebSocket', () => {
  const arena = Arena.ofSuite();

  for (const [name, digits] of Object.entries(VIOLATIONS)) {
    it(`is disconnected for ${name}`, () =>
      arena.survives(async () => {
        const { device, wire } = await arena.webDevice();
        wire.writeRaw(bytesOf(digits));
        await device.serverEnded;
      }));
  }

  for (const [name, digits] of Object.entries(ODDITIES)) {
    it(`is served with ${name}`, () =>
      arena.survives(async () => {
        const { device, wire } = await arena.webDevice();
        wire.writeRaw(bytesOf(digits));
        await device.next(Type.KEEP_ALIVE);
      }));
  }

  it('is served through a flood of pongs', () =>
    arena.survives(async () => {
      const { device, wire } = await arena.webDevice();
      wire.writeRaw(bytesOf('8a 80 x'.repeat(3_000)));
      await device.barrier();
    }));

  it('is disconnected for a flood of pings that it does not let be answered', () =>
    arena.survives(async () => {
      const { device, wire } = await arena.webDevice();
      wire.writeRaw(bytesOf('89 80 x'.repeat(3_000)));
      await device.serverEnded;
    }));

  it('leaves nothing where it goes without a close', () =>
    arena.survives(async () => {
      for (let round = 0; round < 5; round++) {
        const { device } = await arena.webDevice();
        device.wire.cut();
        await device.closed;
      }
    }));

  it('leaves nothing in the middle of a frame', () =>
    arena.survives(async () => {
      for (const digits of ['82', '82 fe 01', '82 fe 0100 00', '82 85 x 05 00', '02 85 x 05 00 00 00 00']) {
        const { device, wire } = await arena.webDevice();
        wire.writeRaw(bytesOf(digits));
        device.wire.cut();
        await device.closed;
      }
    }));

  it('floods with frames of a byte, and is served', () =>
    arena.survives(async () => {
      const { device, wire } = await arena.webDevice();
      const bytes = Buffer.concat(Array.from({ length: 500 }, () => message(Type.KEEP_ALIVE)));
      wire.writeRaw(Buffer.concat(Array.from(bytes, (byte) => Buffer.of(0x82, 0x81, 0, 0, 0, 0, byte))));
      await arena.until(() => device.all(Type.KEEP_ALIVE).length === 500);
    }));
});

describe('a program over WebSocket', () => {
  const arena = Arena.ofSuite();

  for (const [name, digits] of Object.entries({ ...VIOLATIONS, 'text that is not UTF-8': '81 82 x ff fe' })) {
    it(`is disconnected for ${name}`, () =>
      arena.survives(async () => {
        const socket = await arena.socket(arena.httpPort);
        const path = `/v1/users/anna/events?authorization=${arena.token}`;
        socket.write(`GET ${path} HTTP/1.1\r\n${HANDSHAKE.join('\r\n')}\r\n\r\n`);
        await arena.until(() => socket.text.startsWith('HTTP/1.1 101'));
        socket.write(bytesOf(digits));
        await arena.until(() => socket.ended);
      }));
  }
});

describe('a handshake of WebSocket', () => {
  const arena = Arena.ofSuite();
  const paths = (): string[] => ['/iotmp', `/v1/users/anna/events?authorization=${arena.token}`];

  for (const [name, lines] of Object.entries(HANDSHAKES)) {
    it(`${name} is refused or ends`, () =>
      arena.survives(async () => {
        for (const path of paths()) {
          const socket = await arena.socket(arena.httpPort);
          socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
          await arena.until(() => socket.ended || socket.text.startsWith('HTTP/1.1 '), name);
          assert.doesNotMatch(socket.text, /^HTTP\/1\.1 5/);
        }
      }));
  }

  it('that nothing follows is closed when the time for the login is over', () =>
    arena.survives(async () => {
      const socket = await arena.socket(arena.httpPort);
      socket.write(`GET /iotmp HTTP/1.1\r\n${HANDSHAKE.join('\r\n')}\r\n\r\n`);
      await arena.until(() => socket.ended);
      assert.match(socket.text, /^HTTP\/1\.1 101/);
    }));
});
