import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { setTimeout as pause } from 'node:timers/promises';
import { RawDevice } from '../support/raw-device';
import { message, psonField, Type, varintField } from '../support/raw-message';
import { tcpWire } from '../support/raw-wire';
import { Arena, BAD, GOOD } from './support/arena';

const ID = 40_000;

/** Types by name: all that there are, and some that there are not. */
const TYPES: Readonly<Record<string, number>> = {
  reserved: 0,
  ...Type,
  'unknown 11': 11,
  'unknown 127': 127,
};
const NAMES = Object.keys(TYPES);

/** What an open session answers to a message with an id and the resource `nothing`: the type and a code, if any. */
const ANSWERS: Readonly<Record<string, readonly [type: number, code?: number] | 'closed' | 'nothing'>> = {
  reserved: 'closed',
  OK: 'nothing',
  ERROR: 'nothing',
  CONNECT: [Type.ERROR, 400],
  DISCONNECT: 'closed',
  KEEP_ALIVE: [Type.KEEP_ALIVE],
  RUN: [Type.ERROR, 404],
  DESCRIBE: [Type.ERROR, 404],
  START_STREAM: [Type.ERROR, 404],
  STOP_STREAM: [Type.ERROR, 404],
  STREAM_DATA: [Type.STOP_STREAM],
  'unknown 11': 'nothing',
  'unknown 127': 'nothing',
};

function messageOf(name: string, id?: number): Buffer {
  const fields = id === undefined ? [] : [varintField(1, id)];
  return message(TYPES[name]!, ...fields, psonField(4, 'nothing'));
}

/** Waits until the server has read what was sent, or has closed. */
async function heard(device: RawDevice): Promise<void> {
  await Promise.race([device.barrier().catch(() => undefined), device.serverEnded]);
}

describe('a message of any type', () => {
  const arena = Arena.ofSuite();
  for (const name of NAMES.filter((one) => one !== 'CONNECT')) {
    it(`closes before CONNECT: ${name}`, () =>
      arena.survives(async () => {
        for (const id of [undefined, 0, ID]) {
          const device = await arena.stranger();
          device.send(messageOf(name, id));
          await device.serverEnded;
          assert.deepEqual(device.received, [], 'nothing is answered');
        }
      }));
  }

  it('closes as CONNECT without a payload, answered with ERROR', () =>
    arena.survives(async () => {
      for (const id of [undefined, 0, ID]) {
        const device = await arena.stranger();
        device.send(messageOf('CONNECT', id));
        await device.serverEnded;
        assert.deepEqual(
          device.received.map(({ type }) => type),
          [Type.ERROR],
        );
      }
    }));

  for (const name of NAMES) {
    it(`is answered as it should in an open session: ${name}`, () =>
      arena.survives(async () => {
        const wanted = ANSWERS[name]!;
        const device = await arena.device();
        device.serves = false;
        device.received.length = 0;
        device.send(messageOf(name, ID));
        await heard(device);
        const got = device.received.map(({ type, parameters }) => [
          type,
          ...(parameters === undefined ? [] : [parameters]),
        ]);
        if (wanted === 'closed') {
          await device.serverEnded;
          assert.ok(got.every(([type]) => type === Type.OK));
        } else assert.deepEqual(got, [...(wanted === 'nothing' ? [] : [wanted]), [Type.KEEP_ALIVE]]);
      }));

    it(`is not answered without an id, or with id 0: ${name}`, () =>
      arena.survives(async () => {
        for (const id of [undefined, 0]) {
          const device = await arena.device();
          device.serves = false;
          device.received.length = 0;
          device.send(messageOf(name, id));
          await heard(device);
          const got = device.received.map(({ type }) => type);
          if (ANSWERS[name] === 'closed') await device.serverEnded;
          else if (name === 'KEEP_ALIVE') assert.deepEqual(got, [Type.KEEP_ALIVE, Type.KEEP_ALIVE]);
          else assert.deepEqual(got, [Type.KEEP_ALIVE]);
        }
      }));
  }

  it('is nothing to a session that closes', () =>
    arena.survives(async () => {
      for (const name of NAMES) {
        const device = await arena.device();
        device.received.length = 0;
        arena.server.device(BAD)?.close();
        device.send(messageOf(name, ID));
        await device.serverEnded;
        assert.deepEqual(
          device.received.map(({ type }) => type),
          [Type.DISCONNECT],
          name,
        );
        device.wire.cut();
        await device.closed;
      }
    }));

  it('is nothing behind DISCONNECT', () =>
    arena.survives(async () => {
      for (const name of NAMES) {
        const device = new RawDevice(await tcpWire(arena.tcpPort), BAD);
        device.connect();
        await device.next();
        device.send(Buffer.concat([message(Type.DISCONNECT), messageOf(name, ID)]));
        await device.serverEnded;
        assert.equal(device.received.length, 1, name);
        device.wire.cut();
        await device.closed;
      }
    }));
});

describe('a message without a meaning', () => {
  const arena = Arena.ofSuite();
  const cases: Readonly<Record<string, Buffer>> = {
    'a body of one byte more than is accepted': Buffer.concat([
      Buffer.from('06818004', 'hex'),
      Buffer.alloc(65_537),
    ]),
    'a body past all bounds': Buffer.from('06ffffff7f', 'hex'),
    'a size without an end': Buffer.from('06ffffffffffffffffffffffff', 'hex'),
    'a type without an end': Buffer.alloc(64, 0xff),
    'an array in an array, and so on': Buffer.concat([
      Buffer.from('06e80708281a', 'hex'),
      Buffer.alloc(997, 0xe1),
    ]),
    'a map of four billion pairs': Buffer.from('0608081a1adfffffff0f', 'hex'),
    'a text of four billion bytes': Buffer.from('0608081a1a9fffffff0f', 'hex'),
    'a stream id of 64 bits': Buffer.from('060b08ffffffffffffffffff01', 'hex'),
    'the wire types of the past and the future': Buffer.from(
      '0603081a19 0603081a1b 0603081a1f'.replaceAll(' ', ''),
      'hex',
    ),
    'ten messages that do not decode': Buffer.from('0605081a1ae385'.repeat(10), 'hex'),
  };
  for (const [name, bytes] of Object.entries(cases)) {
    it(`costs itself or its connection: ${name}`, () =>
      arena.survives(async () => {
        for (const before of [true, false]) {
          const device = before ? await arena.stranger() : await arena.device();
          device.send(bytes);
          await heard(device);
          assert.ok(device.received.length <= 12, `${device.received.length} answers`);
          device.wire.cut();
          await device.closed;
        }
      }));
  }
});

describe('a message behind CONNECT', () => {
  const verdict = Promise.withResolvers<undefined>();
  const authenticate = ({ device }: { device: string }): undefined | Promise<undefined> =>
    device === GOOD.device ? undefined : verdict.promise;
  const arena = Arena.ofSuite({ authenticator: { authenticate }, connectTimeoutMs: 10_000 });

  it('waits while the login is decided', () =>
    arena.survives(async () => {
      const device = await arena.stranger();
      device.serves = false;
      device.connect();
      const sent = NAMES.filter((name) => ANSWERS[name] !== 'closed');
      for (const name of sent) device.send(messageOf(name, ID));
      await pause(100);
      assert.deepEqual(device.received, []);
      verdict.resolve(undefined);
      assert.equal((await device.next()).type, Type.OK);
      device.send(message(Type.RUN, varintField(1, 1)));
      await device.next(Type.STOP_STREAM);
      await arena.until(() => device.all(Type.ERROR).some(({ id }) => id === 1));
      const wanted = sent.flatMap((name) => (ANSWERS[name] === 'nothing' ? [] : [ANSWERS[name]![0]]));
      const got = device.received.slice(1, -1).map(({ type }) => type);
      assert.deepEqual(got, wanted);
    }));
});
