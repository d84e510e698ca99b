import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { decodeValue, type DecodeOptions } from '../../../src/codec/reading/pson-decoder';
import { encodeValue } from '../../../src/codec/writing/pson-encoder';
import { DecodeError } from '../../../src/errors';
import type { Value } from '../../../src/types';
import { memoryInUse } from './memory';

function decode(hex: string, options?: DecodeOptions): Value {
  return decodeValue(Buffer.from(hex, 'hex'), options);
}

function assertRefused(hex: string, reason: string, options?: DecodeOptions): void {
  assert.throws(
    () => decode(hex, options),
    (error) => error instanceof DecodeError && error.reason === reason,
    `${hex} for ${reason}`,
  );
}

describe('decoding of numbers', () => {
  it('gives BigInt only where a number is not exact', () => {
    assert.equal(decode('1fffffffffffffff0f'), Number.MAX_SAFE_INTEGER);
    assert.equal(decode('1f8080808080808010'), 2n ** 53n);
    assert.equal(decode('3fffffffffffffff0f'), Number.MIN_SAFE_INTEGER);
    assert.equal(decode('3f8080808080808010'), -(2n ** 53n));
    assert.equal(decode('1fffffffffffffffffff01'), 2n ** 64n - 1n);
    assert.equal(decode('3f80808080808080808001'), -(2n ** 63n));
  });

  it('refuses integers beyond 64 bits', () => {
    assertRefused('1fffffffffffffffffff02', 'integer');
    assertRefused('1fffffffffffffffffff7f', 'integer');
    assertRefused('3f81808080808080808001', 'integer');
    assertRefused('3fffffffffffffffffff01', 'integer');
  });

  it('accepts forms that are longer than needed, as devices do', () => {
    assert.equal(decode('1f05'), 5);
    assert.equal(decode('1f8580808080808080' + '8000'), 5);
    assert.equal(decode('3f00'), 0);
    assert.equal(decode('5f000000bc41'), 23.5);
    assert.equal(decode('7f01'), true);
    assert.equal(decode('9f0161'), 'a');
    assert.deepEqual(decode('bf0107'), Buffer.of(7));
    assert.deepEqual(decode('df019f016105'), { a: 5 });
    assert.deepEqual(decode('ff0105'), [5]);
  });

  it('gives zero for a negative zero magnitude and keeps the zero of floats', () => {
    assert.ok(Object.is(decode('20'), 0));
    assert.ok(Object.is(decode('4000000080'), -0));
  });
});

describe('decoding of maps', () => {
  it('makes `__proto__` a plain own property', () => {
    for (const hex of ['c1895f5f70726f746f5f5fc1816101', 'c19f095f5f70726f746f5f5fc1816101']) {
      for (let round = 0; round < 4; round++) {
        const map = decode(hex) as object;
        assert.equal(Object.getPrototypeOf(map), Object.prototype);
        assert.deepEqual(Object.getOwnPropertyDescriptor(map, '__proto__'), {
          value: { a: 1 },
          writable: true,
          enumerable: true,
          configurable: true,
        });
      }
    }
    assert.equal(({} as { a?: number }).a, undefined);
  });

  it('lets the last of equal keys win', () => {
    assert.deepEqual(decode('c2816101816102'), { a: 2 });
  });

  it('refuses keys that are no strings or not UTF-8', () => {
    assertRefused('c10501', 'key');
    assertRefused('c16201', 'key');
    assertRefused('c1a16101', 'key');
    assertRefused('c182fffe01', 'utf-8');
    assertRefused('c182fffe01', 'utf-8');
    assertRefused('c19f02fffe01', 'utf-8');
  });

  it('takes a key that holds U+FFFD itself', () => {
    for (let round = 0; round < 3; round++) assert.deepEqual(decode('c183efbfbd01'), { '\uFFFD': 1 });
  });
});

describe('decoding of texts', () => {
  it('replaces what is not UTF-8 and tells it once for each text', () => {
    const long = `9f28${'ff'.repeat(40)}`;
    const hex = `e482fffe${long}816183efbfbd`;
    for (let round = 0; round < 4; round++) {
      let count = 0;
      const value = decode(hex, { onInvalidText: () => count++ });
      assert.deepEqual(value, ['\uFFFD\uFFFD', '\uFFFD'.repeat(40), 'a', '\uFFFD']);
      assert.equal(count, 2);
    }
  });

  it('may be done by the one who is told', () => {
    const inner: Value[] = [];
    const value = decode('e281ff8162', { onInvalidText: () => inner.push(decode('e281ff05')) });
    assert.deepEqual(value, ['\uFFFD', 'b']);
    assert.deepEqual(inner, [['\uFFFD', 5]]);
  });
});

describe('decoding of bytes', () => {
  it('gives views of the input', () => {
    const input = Buffer.from('e2a2010205', 'hex');
    const [bytes] = decodeValue(input) as [Buffer];
    assert.ok(Buffer.isBuffer(bytes));
    input[2] = 9;
    assert.deepEqual([...bytes], [9, 2]);
  });

  it('takes any Uint8Array as input', () => {
    const padded = Uint8Array.of(99, 0xe2, 0xa1, 7, 0x81, 0x61, 99);
    const value = decodeValue(padded.subarray(1, 6)) as [Buffer, string];
    assert.ok(Buffer.isBuffer(value[0]));
    assert.deepEqual(value, [Buffer.of(7), 'a']);
  });
});

describe('decoding of hostile bytes', () => {
  it('refuses every beginning of a value', () => {
    const value = {
      a: [1, -300, 23.5, 23.4, true, null],
      b: 'text',
      c: 'x'.repeat(40),
      d: Buffer.alloc(40),
      e: 2n ** 60n,
    };
    const bytes = encodeValue(value);
    for (let length = 0; length < bytes.length; length++) {
      assert.throws(
        () => decodeValue(bytes.subarray(0, length)),
        (error) => error instanceof DecodeError && /^truncated( varint)?$/.test(error.reason),
        `${length} bytes`,
      );
    }
  });

  it('never reads past the given bytes, whatever lies behind them', () => {
    const memory = Buffer.concat([encodeValue({ temperature: 1 }), Buffer.from('temperature')]);
    assert.deepEqual(decodeValue(memory.subarray(0, 14)), { temperature: 1 });
    assert.throws(() => decodeValue(memory.subarray(0, 13)), { reason: 'truncated' });
    assert.throws(() => decodeValue(memory.subarray(0, 10)), { reason: 'truncated' });
  });

  it('refuses counts and lengths that lie, before it allocates', () => {
    for (const type of [4, 5, 6, 7]) {
      for (const size of ['7f', 'ffff7f', 'ffffffff0f', '808080808020', 'ffffffffffffffffff01']) {
        assertRefused(((type << 5) | 31).toString(16) + size + '00'.repeat(20), 'truncated');
      }
    }
    assertRefused('c20000', 'truncated');
  });

  it('keeps memory small when nested counts lie', async () => {
    const body = Buffer.alloc(200000, 0xe1);
    for (let at = 0; at + 4 < body.length; at += 4) body.set([0xff, 0xe0, 0xd4, 0x03], at);
    await memoryInUse();
    // Nothing is collected in between: this counts what was allocated. Believing the counts takes 30 MB.
    const before = process.memoryUsage().heapUsed;
    assert.throws(() => decodeValue(body), DecodeError);
    assert.ok(process.memoryUsage().heapUsed - before < 2e6);
  });

  it('refuses nesting past the limit', () => {
    const deep = (count: number): string => 'e1'.repeat(count) + '05';
    assert.ok(decode(deep(64)));
    assertRefused(deep(65), 'too deep');
    assertRefused(deep(100000), 'too deep');
    assertRefused(`${'c18161'.repeat(65)}05`, 'too deep');
    assert.ok(decode(deep(2), { maxDepth: 2 }));
    assertRefused(deep(3), 'too deep', { maxDepth: 2 });
    assert.ok(decode(deep(100), { maxDepth: 100 }));
  });

  it('refuses what is no value, and bytes behind one', () => {
    assertRefused('', 'truncated');
    assertRefused('0505', 'trailing bytes');
    assertRefused('63', 'discrete');
    assertRefused('7f03', 'discrete');
    assertRefused('4200000000', 'float kind');
    assertRefused('5f020000000000', 'float kind');
    assertRefused('1f', 'truncated varint');
    assertRefused('1fffff', 'truncated varint');
    assertRefused(`1f${'80'.repeat(10)}00`, 'varint');
    assertRefused(`1f${'ff'.repeat(5000)}`, 'varint');
  });

  it('says where the fault is', () => {
    assert.throws(() => decode('e30563'), { reason: 'truncated' });
    assert.throws(() => decode('e2056305'), { reason: 'discrete', offset: 2 });
    assert.throws(() => decode('c20501'), { reason: 'truncated' });
    assert.throws(() => decode('c281610182fffe05'), { reason: 'utf-8', offset: 5 });
  });
});
