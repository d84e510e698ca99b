import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { encodeMessage } from '../../../src/codec/writing/message-encoder';
import { decodeValue } from '../../../src/codec/reading/pson-decoder';
import { encodeValue } from '../../../src/codec/writing/pson-encoder';
import { IotmpError } from '../../../src/errors';

function assertRefused(payload: unknown, message: RegExp): IotmpError {
  let caught: unknown;
  try {
    encodeMessage({ type: 10, payload });
  } catch (error) {
    caught = error;
  }
  assert.ok(caught instanceof IotmpError, 'refused by an IotmpError');
  assert.equal(caught.code, 'IOTMP_ERR_ENCODE');
  assert.match(caught.message, message);
  return caught;
}

function nested(depth: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = wrap(value);
  return value;
}

describe('what PSON cannot carry', () => {
  it('is refused with the path to it', () => {
    const member = (): void => undefined;
    assertRefused(member, /^cannot encode payload: a function cannot be sent$/);
    assertRefused(Symbol('s'), /^cannot encode payload: a symbol cannot be sent$/);
    assertRefused({ a: [1, 2, member] }, /^cannot encode payload\.a\[2\]: a function/);
    assertRefused({ 'not a name': { ñ: member } }, /^cannot encode payload\["not a name"\]\.ñ: /);
    assertRefused(new Map([['k', new Set([member])]]), /^cannot encode payload\.k\[0\]: /);
    assertRefused([new Map([[1, 1]])], /^cannot encode payload\[0\]: a Map key that is not a string/);
    assertRefused({ at: new Date(NaN) }, /^cannot encode payload\.at: an invalid date/);
    assertRefused({ n: [2n ** 64n] }, /^cannot encode payload\.n\[0\]: an integer beyond 64 bits/);
    assertRefused(-(2n ** 63n) - 1n, /^cannot encode payload: an integer beyond 64 bits/);
  });

  it('is named by the field that holds it', () => {
    const parameters = { f: (): void => undefined };
    assert.throws(() => encodeMessage({ type: 6, parameters }), /cannot encode parameters\.f: /);
    assert.throws(() => encodeMessage({ type: 6, resource: [Symbol('s')] }), /cannot encode resource\[0\]: /);
    assert.throws(
      () => encodeMessage({ type: 6, streamId: 65536 }),
      /cannot encode streamId: not in 0\.\.65535/,
    );
    assert.throws(() => encodeMessage({ type: 6, streamId: 1.5 }), /cannot encode streamId: /);
    assert.throws(() => encodeMessage({ type: 6, streamId: -1 }), /cannot encode streamId: /);
    assert.throws(() => encodeMessage({ type: 0 }), /cannot encode type: not in 1\.\.127/);
    assert.throws(() => encodeMessage({ type: 128 }), /cannot encode type: /);
    assert.throws(() => encodeValue([(): void => undefined]), /cannot encode value\[0\]: /);
  });

  it('has what a getter, a toJSON() or a proxy threw as its cause', () => {
    const cause = new Error('sensor gone');
    const fail = (): never => {
      throw cause;
    };
    const getter = Object.defineProperty({}, 'x', { get: fail, enumerable: true });
    assert.equal(assertRefused([getter], /payload\[0\]\.x: sensor gone/).cause, cause);
    assert.equal(assertRefused({ a: { toJSON: fail } }, /payload\.a: sensor gone/).cause, cause);
    assert.equal(assertRefused(new Proxy({}, { ownKeys: fail }), /payload: sensor gone/).cause, cause);
  });
});

describe('nesting', () => {
  it('may be 64 deep', () => {
    for (const value of [nested(64, (inner) => [inner]), nested(64, (inner) => ({ k: inner }))]) {
      assert.deepEqual(decodeValue(encodeValue(value)), value);
    }
  });

  it('is refused beyond, with a path that does not fill the log', () => {
    const tooDeep = [(inner: unknown) => [inner], (inner: unknown) => new Map([['k', inner]])];
    for (const wrap of tooDeep) {
      const error = assertRefused(nested(65, wrap), /nested too deeply or cyclic$/);
      assert.ok(error.message.length < 150, error.message);
    }
  });

  it('is refused for cycles of all kinds', () => {
    const map: Record<string, unknown> = {};
    map.self = [map, map, map];
    const entries = new Map<string, unknown>();
    entries.set('self', entries);
    const set = new Set<unknown>();
    set.add(set);
    const endless = { toJSON: (): unknown => ({ endless }) };
    const wide: unknown[] = [];
    wide.push(...Array.from({ length: 1000 }, () => wide));
    for (const value of [map, entries, set, endless, wide])
      assertRefused(value, /nested too deeply or cyclic/);
  });
});

describe('the size limit', () => {
  it('is exact', () => {
    const payload = Buffer.alloc(1000);
    const size = encodeMessage({ type: 10, streamId: 1, payload }).length - 3;
    assert.ok(encodeMessage({ type: 10, streamId: 1, payload }, size));
    assert.throws(() => encodeMessage({ type: 10, streamId: 1, payload }, size - 1), {
      code: 'IOTMP_ERR_TOO_LARGE',
      statusCode: 413,
      message: `message body larger than ${size - 1} bytes`,
    });
  });

  it('is not mistaken for passed by estimates of texts', () => {
    for (const payload of ['a'.repeat(4000), 'a'.repeat(200000), ['a'.repeat(4000), 'é'.repeat(2000)]]) {
      const size = encodeValue(payload).length + 1;
      const message = encodeMessage({ type: 10, payload }, size);
      assert.equal(message.subarray(-size)[0], 0x1a);
      assert.throws(() => encodeMessage({ type: 10, payload }, size - 1), { code: 'IOTMP_ERR_TOO_LARGE' });
    }
  });

  it('stops values that share parts until they are huge', () => {
    let value: unknown = [1, 2, 3];
    for (let level = 0; level < 50; level++) value = [value, value];
    assert.throws(() => encodeMessage({ type: 10, payload: value }, 262144), { code: 'IOTMP_ERR_TOO_LARGE' });
  });

  it('stops a sparse array of millions and a text of megabytes', () => {
    for (const payload of [new Array(4e9), 'é'.repeat(2 ** 24), Buffer.alloc(2 ** 24)]) {
      assert.throws(() => encodeMessage({ type: 10, payload }, 262144), { code: 'IOTMP_ERR_TOO_LARGE' });
    }
  });

  it('holds without a limit of the caller, too', () => {
    const shared = 'é'.repeat(2 ** 20);
    for (const value of ['a'.repeat(2 ** 24 + 1), Array.from({ length: 9 }, () => shared)]) {
      assert.throws(() => encodeValue(value), { code: 'IOTMP_ERR_TOO_LARGE' });
    }
    assert.equal(encodeValue(Array.from({ length: 7 }, () => shared)).length, 7 * (2 ** 21 + 5) + 1);
  });
});

describe('after a refusal', () => {
  it('the next messages are right', () => {
    const good = { type: 10, streamId: 7, payload: { temperature: 23.5, list: ['x'.repeat(20000)] } };
    const expected = encodeMessage(good).toString('hex');
    const cyclic: unknown[] = [];
    cyclic.push('y'.repeat(100000), cyclic);
    for (const payload of [cyclic, Symbol('s'), { a: 'z'.repeat(9000), b: (): void => undefined }]) {
      assert.throws(() => encodeMessage({ type: 10, payload }), IotmpError);
      assert.equal(encodeMessage(good).toString('hex'), expected);
      assert.throws(() => encodeMessage({ type: 10, payload: good.payload }, 100), IotmpError);
      assert.equal(encodeMessage(good).toString('hex'), expected);
    }
  });

  it('messages that were encoded before are untouched', () => {
    const messages = Array.from({ length: 2000 }, (_, index) =>
      encodeMessage({ type: 10, payload: { index } }),
    );
    const copies = messages.map((message) => message.toString('hex'));
    for (let round = 0; round < 100; round++) {
      assert.throws(() => encodeValue([round, 'w'.repeat(round * 100), Symbol('s')]), IotmpError);
      encodeValue('v'.repeat(round * 1000));
    }
    assert.deepEqual(
      messages.map((message) => message.toString('hex')),
      copies,
    );
  });
});

describe('a getter that encodes', () => {
  it('disturbs neither its own message nor the one around it', () => {
    const inner: Buffer[] = [];
    const reading = {
      before: 'a'.repeat(40),
      get nested(): number {
        inner.push(encodeMessage({ type: 10, payload: { inside: inner.length } }));
        return inner.length;
      },
      after: 'b'.repeat(40),
    };
    const outer = decodeValue(encodeValue([reading, reading]));
    const plain = (count: number): object => ({
      before: reading.before,
      nested: count,
      after: reading.after,
    });
    assert.deepEqual(outer, [plain(1), plain(2)]);
    assert.equal(inner.length, 2);
    assert.equal(
      inner[1]?.toString('hex'),
      encodeMessage({ type: 10, payload: { inside: 1 } }).toString('hex'),
    );
  });
});
