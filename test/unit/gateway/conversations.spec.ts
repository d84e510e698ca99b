import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, it } from 'mocha';
import type { WebSocket } from 'ws';
import { times } from '../../support/effort';
import { PUMP } from '../support/broker-fixture';
import { ConversationBench, Digest, type StreamDevice, type Way } from './support/conversation-bench';

const WAYS: readonly Way[] = ['tcp', 'ws'];
/** Longest pause of a reader, in ms: up to 5 s in the long run. */
const MAX_PAUSE_MS = Math.min(5000, times(250));
const MB = 1_000_000;

/** Numbers that look random, and are the same in each run with this seed. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Bytes that tell a loss, a repetition and a change of places. */
function* numbered(total: number, random: () => number): Generator<Buffer> {
  let at = 0;
  while (at < total) {
    const bytes = Buffer.alloc(Math.min(total - at, 4 * Math.ceil(random() * 8_000)));
    for (let offset = 0; offset + 4 <= bytes.length; offset += 4) bytes.writeUInt32LE(at + offset, offset);
    at += bytes.length;
    yield bytes;
  }
}

/** A reader that stops at random until the action is done. */
async function readInFits(
  reader: { pause(): void; resume(): void },
  random: () => number,
  isDone: () => boolean,
): Promise<void> {
  while (!isDone()) {
    await pause(random() * MAX_PAUSE_MS);
    if (isDone()) return;
    reader.pause();
    await pause(random() * MAX_PAUSE_MS);
    reader.resume();
  }
}

/** A reader that takes so many bytes a second until the action is done. */
async function readSlowly(
  socket: WebSocket,
  heard: Digest,
  perSecond: number,
  isDone: () => boolean,
): Promise<void> {
  const startedAt = Date.now();
  while (!isDone()) {
    const isAhead = heard.bytes > ((Date.now() - startedAt) / 1000) * perSecond;
    if (isAhead) socket.pause();
    else socket.resume();
    await pause(10);
  }
  socket.resume();
}

async function sendAll(socket: WebSocket, chunks: Iterable<Buffer>, digest: Digest): Promise<void> {
  for (const chunk of chunks) {
    digest.take(chunk);
    await new Promise<void>((resolve, reject) => {
      socket.send(chunk, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  }
}

/** Waits for something that takes its time. */
async function until(condition: () => boolean, seconds = 60): Promise<void> {
  const giveUpAt = Date.now() + seconds * 1000;
  while (!condition()) {
    assert.ok(Date.now() < giveUpAt, `never came true: ${String(condition)}`);
    await pause(5);
  }
}

function digestOf(socket: WebSocket): Digest {
  const digest = new Digest();
  socket.on('message', (data) => digest.take(data as Buffer));
  return digest;
}

async function opened(
  way: Way,
): Promise<{ bench: ConversationBench; device: StreamDevice; program: WebSocket }> {
  const bench = await ConversationBench.start();
  const device = await bench.device(way);
  return { bench, device, program: await bench.program('$proxy/x?raw=1') };
}

describe('a conversation between a program and a device', function () {
  this.timeout(times(60_000));

  for (const way of WAYS) {
    for (let round = 0; round < times(1); round++) {
      const seed = 7 * round + 1;
      it(`loses nothing in either direction when both read in fits, over ${way} (${seed})`, async () => {
        const { device, program } = await opened(way);
        const random = randomNumbers(seed);
        const total = 6 * MB;
        const heard = digestOf(program);
        const said = new Digest();
        let ended = false;
        program.on('close', () => {
          ended = true;
        });
        const isOver = ({ bytes }: Digest): boolean => ended || bytes >= total;
        const toDevice = sendAll(program, numbered(total, random), said);
        const toProgram = (async () => {
          for (const chunk of numbered(total, random)) await device.send(chunk);
        })();
        const readers = [
          readInFits(program, random, () => isOver(heard)),
          readInFits(device, random, () => isOver(device.received)),
        ];
        await Promise.all([toDevice, toProgram, ...readers]);
        await until(() => isOver(heard) && isOver(device.received));
        assert.equal(heard.text, device.sent.text);
        assert.equal(device.received.text, said.text);
        assert.equal(ended, false);
        assert.equal(device.ended, false);
      });
    }

    it(`gives a reader that is half as fast everything, and then the end, over ${way}`, async () => {
      const { device, program } = await opened(way);
      const random = randomNumbers(3);
      const heard = digestOf(program);
      const closed = once(program, 'close') as Promise<[number]>;
      const perSecond = 2 * MB;
      const reading = readSlowly(program, heard, perSecond, () => program.readyState === program.CLOSED);
      const startedAt = Date.now();
      for (const chunk of numbered(times(6) * MB, random)) {
        await device.send(chunk);
        const ahead = device.sent.bytes / (2 * perSecond) - (Date.now() - startedAt) / 1000;
        if (ahead > 0) await pause(ahead * 1000);
      }
      device.stop();
      const [code] = await closed;
      await reading;
      assert.equal(code, 1000);
      assert.equal(heard.text, device.sent.text);
    });
  }

  it('loses nothing of 20 MB that a program writes while the device does not read for 2.5 s', async () => {
    const { device, program } = await opened('tcp');
    const said = new Digest();
    device.pause();
    const sending = sendAll(program, numbered(20 * MB, randomNumbers(5)), said);
    await pause(2500);
    device.resume();
    await sending;
    await until(() => device.received.bytes >= 20 * MB);
    assert.equal(device.received.text, said.text);
    assert.equal(device.ended, false);
  });

  it('ends with a code at both ends when the reader takes 10 kB a second, while the device answers calls', async () => {
    const { bench, device, program } = await opened('tcp');
    const heard = digestOf(program);
    const ends: string[] = [];
    program.on('close', (code, reason) => {
      ends.push(`${code} ${reason.toString()}`);
    });
    let calls = 0;
    let slowest = 0;
    const before = process.memoryUsage().rss;
    let most = 0;
    const calling = (async () => {
      while (device.stops.length === 0) {
        const startedAt = performance.now();
        await bench.server.call(PUMP, 'r');
        slowest = Math.max(slowest, performance.now() - startedAt);
        calls++;
        most = Math.max(most, process.memoryUsage().rss - before);
        await pause(50);
      }
    })();
    const flooding = (async () => {
      while (device.stops.length === 0) await device.send(Buffer.alloc(4096, 1));
    })();
    const reading = readSlowly(program, heard, 10_000, () => device.stops.length > 0);
    await Promise.all([calling, flooding, reading]);
    const [stop] = device.stops;
    assert.deepEqual(
      [stop?.parameters, stop?.payload],
      [503, { error: 'too much waits for a reader that is too slow' }],
    );
    await until(() => ends.length > 0);
    assert.deepEqual(ends, ['1013 too much waits for a reader that is too slow']);
    assert.equal(device.ended, false);
    assert.equal(bench.losses.conversation, 1);
    assert.ok(calls > 0 && slowest < 3000, `${calls} calls, the slowest took ${slowest} ms`);
    assert.ok(most < 150 * MB, `${most} bytes more`);
  });
});
