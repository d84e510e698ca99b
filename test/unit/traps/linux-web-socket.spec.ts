import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { BrokerBench, PUMP } from '../support/broker-fixture';
import { RawDevice } from '../support/raw-device';
import { hex, message, psonField, RawReader, Type, varintField } from '../support/raw-message';
import type { WebSocketWire } from '../support/raw-wire';
import { listen } from './fixtures';

interface Play {
  bench: BrokerBench;
  wire: WebSocketWire;
  device: RawDevice;
}

async function play(): Promise<Play> {
  const bench = await BrokerBench.start();
  const wire = await bench.webSocket();
  return { bench, wire, device: await bench.device({ dialect: 'linux' }, wire) };
}

/** Every data frame is one whole message: binary, unfragmented, unmasked and not empty. */
const PING = 9;

function assertWholeMessages(wire: WebSocketWire): void {
  const messages = wire.frames.filter(({ opcode }) => opcode !== PING);
  assert.ok(messages.length > 0);
  for (const { fin, opcode, masked, payload } of messages) {
    assert.deepEqual([fin, opcode, masked], [true, 2, false]);
    const reader = new RawReader();
    assert.equal(reader.push(payload).length, 1);
    assert.equal(reader.rest.length, 0);
  }
}

describe('Linux 11, WebSocket', () => {
  it('sends binary messages in text frames that are not UTF-8', async () => {
    const { bench, wire, device } = await play();
    assert.equal(wire.opcode, 1);
    device.serves = false;
    const call = bench.server.call(PUMP, 'out', { payload: 1 });
    const { id } = await device.next(Type.RUN);
    device.send(message(Type.OK, psonField(3, Buffer.from('fffec08081', 'hex')), varintField(1, id!)));
    assert.deepEqual((await call).payload, Buffer.from('fffec08081', 'hex'));
  });

  it('may send binary ones, several messages in a frame, and a message in several frames', async () => {
    const { bench, wire, device } = await play();
    bench.server.offer('echo', { kind: 'inout', run: ({ payload }) => payload });
    const request = (id: number): Buffer => device.build(Type.RUN, { id, payload: 'é', resource: 'echo' });
    wire.opcode = 2;
    device.send(Buffer.concat([request(1), request(2), request(3)]));
    for (const byte of request(4)) wire.writeFrame(2, Buffer.from([byte]));
    const bytes = request(5);
    wire.writeFrame(1, bytes.subarray(0, 5), false);
    wire.writeFrame(0, bytes.subarray(5), true);
    for (const id of [1, 2, 3, 4, 5]) {
      const answer = await device.next();
      assert.deepEqual([answer.id, answer.payload], [id, 'é']);
    }
    assertWholeMessages(wire);
  });

  it('gets exactly one whole message in each frame, never an empty one, however much is sent at once', async () => {
    const { bench, wire, device } = await play();
    device.resources.set('echo', { fn: 4, run: (input) => input });
    device.resources.set('out', { fn: 3, run: () => 1 });
    for (const interval of [0, 500, 1000]) listen(bench, 'out', interval);
    await Promise.all(
      Array.from({ length: 100 }, (_, payload) => bench.server.call(PUMP, 'echo', { payload })),
    );
    device.send(hex('0500 0500 0500'));
    await device.barrier();
    await bench.server.device(PUMP)!.describe();
    assert.ok(wire.frames.length > 105);
    assertWholeMessages(wire);
  });

  it('gets a message of 200 kB in one frame', async () => {
    const { bench, wire, device } = await play();
    device.serves = false;
    const call = bench.server.call(PUMP, 'blob', { payload: Buffer.alloc(200_000, 7) });
    const run = await device.next(Type.RUN);
    assert.equal((run.payload as Buffer).length, 200_000);
    device.ok(run.id!);
    await call;
    assertWholeMessages(wire);
  });

  it('ignores DISCONNECT: the connection is closed by a close frame', async () => {
    const { bench, wire, device } = await play();
    bench.server.device(PUMP)!.close();
    await device.serverEnded;
    const opcodes = wire.frames.map(({ opcode }) => opcode);
    assert.deepEqual(opcodes, [2, 2, 8]);
    assert.equal(device.all(Type.DISCONNECT).length, 1);
    await device.closed;
  });

  it('answers a close frame by an empty one, and is gone at once', async () => {
    const { bench, wire, device } = await play();
    wire.end();
    await device.serverEnded;
    assert.equal(wire.frames.at(-1)?.opcode, 8);
    await bench.until(() => bench.server.deviceCount === 0);
    assert.deepEqual(bench.log, ['connected anna/pump', 'disconnected anna/pump: IOTMP_ERR_CLOSED']);
  });

  it('may ping, and is answered with the same data', async () => {
    const { bench, wire, device } = await play();
    wire.writeFrame(9, Buffer.from('are you there'));
    await bench.until(() => wire.frames.some(({ opcode }) => opcode === 10));
    assert.equal(wire.frames.at(-1)?.payload.toString(), 'are you there');
    await device.barrier();
  });

  it('sends its KEEP_ALIVE every 60 s, and no ping: those of the server do not keep it alive', async () => {
    const { bench, wire, device } = await play();
    for (let minute = 0; minute < 3; minute++) {
      await bench.clock.advance(60_000);
      await device.barrier();
    }
    assertWholeMessages(wire);
    await bench.clock.advance(90_000);
    await device.serverEnded;
    assert.equal(bench.log.at(-1), 'disconnected anna/pump: IOTMP_ERR_TIMEOUT');
  });

  it('refused login: ERROR in one frame, then a close frame', async () => {
    const bench = await BrokerBench.start();
    const wire = await bench.webSocket();
    const device = new RawDevice(wire, { credential: 'wrong' });
    device.connect();
    assert.equal((await device.next()).parameters, 2);
    await device.closed;
    assert.deepEqual(
      wire.frames.map(({ opcode }) => opcode),
      [2, 8],
    );
  });
});
