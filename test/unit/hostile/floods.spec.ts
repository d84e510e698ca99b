import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { setTimeout as pause } from 'node:timers/promises';
import { RawDevice } from '../support/raw-device';
import { hex, message, psonField, Type, varint, varintField } from '../support/raw-message';
import { tcpWire } from '../support/raw-wire';
import { Arena, BAD, LOGIN_MS } from './support/arena';

const MANY = 5_000;

/** As many messages as there are numbers, from 1 on. */
function each(count: number, messageOf: (id: number) => Buffer): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, index) => messageOf(index + 1)));
}

describe('a device that floods', () => {
  const arena = Arena.ofSuite();

  it('with KEEP_ALIVE gets an echo of each', () =>
    arena.survives(async () => {
      const device = await arena.device();
      device.send(each(MANY, () => message(Type.KEEP_ALIVE)));
      await arena.until(() => device.all(Type.KEEP_ALIVE).length === MANY);
    }));

  it('with unknown types gets nothing', () =>
    arena.survives(async () => {
      const device = await arena.device();
      const before = device.received.length;
      device.send(each(MANY, (id) => Buffer.concat([varint(11 + id), hex('02 08 01')])));
      await device.barrier();
      assert.equal(device.received.length, before + 1);
    }));

  it('with requests that want no answer gets none', () =>
    arena.survives(async () => {
      const device = await arena.device();
      const before = device.received.length;
      device.send(each(MANY, (id) => message(Type.RUN, psonField(4, `nothing ${id}`))));
      await device.barrier();
      assert.equal(device.received.length, before + 1);
    }));

  it('with requests for nothing gets an ERROR for each', () =>
    arena.survives(async () => {
      const device = await arena.device();
      device.send(each(MANY, (id) => message(Type.RUN, varintField(1, id), psonField(4, 'nothing'))));
      await arena.until(() => device.all(Type.ERROR).length === MANY);
    }));

  it('with samples that nobody asked for is told to stop each once', () =>
    arena.survives(async () => {
      const device = await arena.device();
      device.serves = false;
      const flood = each(MANY, (id) => message(Type.STREAM_DATA, varintField(1, id), psonField(3, id)));
      device.send(Buffer.concat([flood, flood]));
      await device.barrier();
      const stopped = device.all(Type.STOP_STREAM).map(({ id }) => id);
      assert.ok(stopped.length > 0 && new Set(stopped).size === stopped.length);
    }));

  it('with streams has as many as it may have, and they end with it', () =>
    arena.survives(async () => {
      const offered = arena.server.offer('time', { kind: 'output', run: () => 1 });
      const device = await arena.device();
      const start = (id: number): Buffer =>
        message(
          Type.START_STREAM,
          varintField(1, id),
          psonField(2, { interval: 60_000 }),
          psonField(4, 'time'),
        );
      device.send(each(MANY, start));
      await device.barrier();
      assert.equal(device.all(Type.OK).length + device.all(Type.ERROR).length, MANY + 1);
      assert.ok(offered.streamCount > 0 && offered.streamCount < MANY);
      device.wire.cut();
      await arena.until(() => offered.streamCount === 0);
      offered.remove();
    }));

  it('with requests whose answers it does not read is read no more', () =>
    arena.survives(async () => {
      const offered = arena.server.offer('blob', { kind: 'output', run: () => Buffer.alloc(30_000) });
      const socket = await arena.socket();
      socket.socket.pause();
      const spare = new RawDevice(await tcpWire(arena.tcpPort), BAD);
      socket.write(spare.build(Type.CONNECT, { id: 1, payload: Object.values(BAD) }));
      spare.wire.cut();
      await arena.until(() => arena.server.device(BAD) !== undefined);
      const { external } = process.memoryUsage();
      socket.write(each(MANY, (id) => message(Type.RUN, varintField(1, id), psonField(4, 'blob'))));
      await pause(300);
      assert.ok(process.memoryUsage().external < external + 64 * 2 ** 20);
      offered.remove();
    }));

  it('with bodies that it announces only costs nothing', () =>
    arena.survives(async () => {
      for (let round = 0; round < 5; round++) {
        const device = await arena.device();
        device.send(Buffer.concat([hex('06'), varint(65_000), hex('08 01')]));
      }
    }));

  it('with connections that take its own place ends all but one', () =>
    arena.survives(async () => {
      const devices = await Promise.all(
        Array.from({ length: 30 }, async () => new RawDevice(await tcpWire(arena.tcpPort), BAD)),
      );
      for (const device of devices) device.connect();
      await pause(2 * LOGIN_MS);
      assert.ok(arena.server.deviceCount <= 2);
      assert.ok(devices.filter(({ ended }) => !ended).length <= 1);
      for (const { wire } of devices) wire.cut();
    }));
});

describe('a stranger who floods', () => {
  const arena = Arena.ofSuite();

  it('with connections that say nothing has them closed', () =>
    arena.survives(async () => {
      const sockets = await Promise.all(Array.from({ length: 100 }, () => arena.socket()));
      await arena.until(() => sockets.every(({ ended }) => ended));
      assert.ok(sockets.every(({ text }) => text === ''));
    }));

  it('with connections that come and go leaves nothing', () =>
    arena.survives(async () => {
      for (let round = 0; round < 10; round++) {
        const sockets = await Promise.all(Array.from({ length: 20 }, () => arena.socket()));
        for (const [index, socket] of sockets.entries()) {
          if (index % 2 === 0) socket.write(hex('03 20 08 05'));
          socket.cut();
        }
      }
    }));

  it('with guesses does not keep a device out that was in before', () =>
    arena.survives(async () => {
      await arena.device();
      for (let guess = 0; guess < 80; guess++) {
        const socket = await arena.socket();
        const payload = ['anna', `nobody ${guess}`, 'guess'];
        socket.write(message(Type.CONNECT, varintField(1, 1), psonField(3, payload)));
      }
      await arena.device();
    }));

  it('with half-open connections has them closed', () =>
    arena.survives(async () => {
      const sockets = await Promise.all(Array.from({ length: 20 }, () => arena.socket()));
      for (const [index, socket] of sockets.entries()) {
        if (index % 2 === 0) socket.write(hex('03 20 08'));
        socket.end();
      }
      await arena.until(() => sockets.every(({ ended }) => ended));
    }));
});

describe('a peer that takes its time', () => {
  const arena = Arena.ofSuite();
  const BYTE_MS = 50;

  async function trickle(write: (byte: Buffer) => void, bytes: Buffer): Promise<void> {
    for (const byte of bytes) {
      write(Buffer.of(byte));
      await pause(BYTE_MS);
    }
  }

  it('with its CONNECT is closed when the time for the login is over', () =>
    arena.survives(async () => {
      const socket = await arena.socket();
      await trickle((byte) => socket.write(byte), hex('03 7f 08 01 1a e3 84 61 6e 6e 61 84'));
      await arena.until(() => socket.ended);
    }));

  it('with a request is answered in the end', () =>
    arena.survives(async () => {
      const device = await arena.device();
      await trickle((byte) => device.send(byte), message(Type.RUN, varintField(1, 7), psonField(4, 'no')));
      assert.equal((await device.next(Type.ERROR)).id, 7);
    }));

  it('with the rest of a request, and ends its side, is closed', () =>
    arena.survives(async () => {
      const device = await arena.device();
      device.send(hex('06 10 08'));
      device.wire.end();
      await device.serverEnded;
    }));
});
