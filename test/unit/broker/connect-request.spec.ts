import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { parseConnect, type ConnectIntent } from '../../../src/broker/connect-request';
import { ConnectCode } from '../../../src/codec/constants';
import { MessageType } from '../../../src/codec/constants';
import { Message } from '../../../src/codec/message';
import type { Value } from '../../../src/types';
import { BrokerBench } from '../support/broker-fixture';
import { CONNECT_ID, RawDevice } from '../support/raw-device';
import { hex, message, psonField, Type, varintField } from '../support/raw-message';

const CREDENTIALS: Value = ['anna', 'pump', 'secret'];
const MICROCONTROLLER_KEY = 0x08;
const LINUX_KEY = 0x1a;

function parse(parameters?: Value, payload: Value | undefined = CREDENTIALS, firstKey = 0x08): ConnectIntent {
  return parseConnect({ message: new Message(MessageType.CONNECT, 1, parameters, payload), firstKey });
}

function assertRefused(statusCode: number, parameters: Value | undefined, payload?: Value): void {
  assert.throws(() => parse(parameters, payload), { name: 'IotmpError', statusCode });
}

describe('payload of CONNECT', () => {
  it('gives user, device and credential', () => {
    const { user, device, credential, keepAliveMs } = parse();
    assert.deepEqual([user, device, credential, keepAliveMs], ['anna', 'pump', 'secret', undefined]);
    assert.equal(parse(undefined, ['', 'd', '']).user, '');
  });

  it('is refused with code 4 when it is something else', () => {
    const payloads: Value[] = [
      null,
      'token',
      7,
      { user: 'anna' },
      [],
      ['anna', 'pump'],
      ['anna', 'pump', 'secret', 'more'],
      ['anna', 'pump', 1],
      ['anna', null, 'secret'],
      [1, 'pump', 'secret'],
      ['anna', '', 'secret'],
      ['a'.repeat(256), 'pump', 'secret'],
      ['anna', 'p'.repeat(256), 'secret'],
    ];
    for (const payload of payloads) assertRefused(ConnectCode.BAD_ENCODING, undefined, payload);
    assert.throws(() => parseConnect({ message: new Message(MessageType.CONNECT, 1), firstKey: 0 }), {
      statusCode: ConnectCode.BAD_ENCODING,
    });
  });

  it('may be long: names of 255 characters, credentials of any length', () => {
    const intent = parse(undefined, ['a'.repeat(255), 'p'.repeat(255), 's'.repeat(10_000)]);
    assert.equal(intent.credential.length, 10_000);
  });
});

describe('keep-alive of CONNECT', () => {
  it('may be 1 to 1800 s', () => {
    for (const ka of [1, 60, 1800, 1.5]) assert.equal(parse({ ka }).keepAliveMs, ka * 1000);
  });

  it('is refused with code 3 out of that range, or as no number', () => {
    const wrong: Value[] = [0, -1, 0.5, 1801, 2 ** 40, 10n ** 18n, NaN, Infinity, '60', null, true, [60], {}];
    for (const ka of wrong) assertRefused(ConnectCode.BAD_KEEP_ALIVE, { ka });
  });
});

describe('auth type of CONNECT', () => {
  it('may be absent, null or 0', () => {
    for (const at of [undefined, null, 0]) parse(at === undefined ? {} : { at });
  });

  it('is refused with code 2 when it is reserved, whatever the payload is then', () => {
    const reserved: Value[] = [1, 2, 3, -1, 'token', true, 1n];
    for (const at of reserved) assertRefused(ConnectCode.BAD_CREDENTIALS, { at });
    assertRefused(ConnectCode.BAD_CREDENTIALS, { at: 2 }, 'eyJhbGciOi');
  });

  it('may be the parameters themselves in the older form, where 1 is credentials and 2 a token', () => {
    assert.equal(parse(1).device, 'pump');
    assert.equal(parse(0).device, 'pump');
    assert.equal(parse(null).device, 'pump');
    assertRefused(ConnectCode.BAD_CREDENTIALS, 2, 'eyJhbGciOi');
    assertRefused(ConnectCode.BAD_CREDENTIALS, 3);
    assertRefused(ConnectCode.BAD_CREDENTIALS, 'credentials');
  });
});

describe('body limit of a device', () => {
  it('follows from the order of the fields: Linux sends the payload first', () => {
    assert.equal(parse(undefined, CREDENTIALS, LINUX_KEY).maxBodySize, 262_144);
    assert.equal(parse(undefined, CREDENTIALS, MICROCONTROLLER_KEY).maxBodySize, 32_768);
  });

  it('may be told as mm', () => {
    assert.equal(parse({ mm: 4096 }).maxBodySize, 4096);
    assert.equal(parse({ mm: 1_000_000 }, CREDENTIALS, LINUX_KEY).maxBodySize, 1_000_000);
    assert.equal(parse({ mm: 1024 }).maxBodySize, 1024);
    assert.equal(parse({ mm: 2n ** 60n }).maxBodySize, 16 * 2 ** 20);
    assert.equal(parse({ mm: null }).maxBodySize, 32_768);
  });

  it('is refused where no answer could be sent by it', () => {
    for (const mm of [-1, 0, 1, 64, 1023, 1.5, NaN, '4096', true, []]) {
      assert.throws(() => parse({ mm }), {
        code: 'IOTMP_ERR_PROTOCOL',
        statusCode: ConnectCode.BAD_ENCODING,
      });
    }
  });

  it('that is too small is refused on the wire, and nobody else is harmed', async () => {
    const bench = await BrokerBench.start();
    const device = new RawDevice(bench.memory());
    device.send(connectWith({ mm: 1 }));
    const { type, parameters } = await device.next();
    assert.deepEqual([type, parameters], [Type.ERROR, ConnectCode.BAD_ENCODING]);
    await bench.device();
    assert.equal(bench.server.deviceCount, 1);
  });

  it('of the smallest kind leaves room for every error text', async () => {
    const bench = await BrokerBench.start();
    bench.server.offer('fail', {
      kind: 'run',
      run: ({ payload }) => {
        throw new Error((typeof payload === 'string' ? payload : '').repeat(2000));
      },
    });
    const device = new RawDevice(bench.memory());
    device.send(connectWith({ mm: 1024 }));
    assert.equal((await device.next()).type, Type.OK);
    device.send(device.build(Type.RUN, { id: 5, resource: 'fail', payload: 'x' }));
    assert.deepEqual((await device.next()).payload, { error: 'x'.repeat(512) });
    device.send(device.build(Type.RUN, { id: 6, resource: 'fail', payload: '\u20ac' }));
    const bare = await device.next();
    assert.deepEqual(
      [bare.type, bare.id, bare.parameters, bare.payload],
      [Type.ERROR, 6, undefined, undefined],
    );
  });
});

function connectWith(parameters: Record<string, unknown>): Buffer {
  return message(
    Type.CONNECT,
    varintField(1, CONNECT_ID),
    psonField(2, parameters),
    psonField(3, ['anna', 'pump', 'secret']),
  );
}

describe('CONNECT on the wire', () => {
  it('with pv, ka, at and unknown parameters is let in', async () => {
    const bench = await BrokerBench.start();
    const device = new RawDevice(bench.memory());
    device.send(
      message(
        Type.CONNECT,
        varintField(1, 7),
        psonField(2, { pv: 1, ka: 60, at: 0, ct: 'arduino', fw: '1.2.3', zz: [1] }),
        psonField(3, ['anna', 'pump', 'secret']),
      ),
    );
    assert.equal((await device.next()).bytes.toString('hex'), '01020807');
  });

  it('with a bad keep-alive gets code 3', async () => {
    const bench = await BrokerBench.start();
    const device = new RawDevice(bench.memory());
    device.send(
      message(
        Type.CONNECT,
        varintField(1, 7),
        psonField(2, { ka: 1801 }),
        psonField(3, ['anna', 'pump', 'secret']),
      ),
    );
    const answer = await device.next();
    assert.deepEqual([answer.type, answer.id, answer.parameters], [Type.ERROR, 7, 3]);
    await device.closed;
    assert.equal(bench.refusedLogins[0]?.reason, 'malformed');
  });

  it('that does not decode gets code 4, with its stream id where that could be read', async () => {
    const bench = await BrokerBench.start();
    const bodies: [string, number | undefined][] = [
      ['08 07 | 1a e3 84 616e6e61', 7], // an array that is cut off
      ['08 07 | 1b 00', 7], // wire type 3
      ['08 07 | 19 00', 7], // legacy PSON
      ['1a 63', undefined],
    ];
    for (const [digits, id] of bodies) {
      const device = new RawDevice(bench.memory());
      device.send(message(Type.CONNECT, hex(digits)));
      const answer = await device.next();
      assert.deepEqual([answer.type, answer.id, answer.parameters], [Type.ERROR, id, 4], digits);
      await device.closed;
    }
    assert.equal(bench.server.deviceCount, 0);
  });

  it('with an empty body gets code 4', async () => {
    const bench = await BrokerBench.start();
    const device = new RawDevice(bench.memory());
    device.send(hex('0300'));
    const answer = await device.next();
    assert.deepEqual([answer.type, answer.id, answer.parameters], [Type.ERROR, undefined, 4]);
    await device.closed;
  });

  it('may come byte by byte', async () => {
    const bench = await BrokerBench.start();
    const wire = bench.memory();
    const device = new RawDevice(wire);
    const connect = device.build(Type.CONNECT, { id: CONNECT_ID, payload: ['anna', 'pump', 'secret'] });
    for (const byte of connect) wire.write(Buffer.from([byte]));
    assert.equal((await device.next()).type, Type.OK);
  });
});
