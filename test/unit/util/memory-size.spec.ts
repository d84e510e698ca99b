import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { memorySize } from '../../../src/util/memory-size';

describe('memory of a value', () => {
  it('grows with texts, bytes, lists and maps', () => {
    assert.ok(memorySize('x'.repeat(1000)) >= 2000);
    assert.ok(memorySize(Buffer.alloc(5000)) >= 5000);
    assert.ok(memorySize(Array(1000).fill(0)) >= 8000);
    assert.ok(memorySize({ ['k'.repeat(1000)]: 1 }) >= 2000);
    for (const one of [null, undefined, true, 5, 5n]) assert.ok(memorySize(one) <= 32);
  });

  it('has the whole read that bytes are a view of', () => {
    assert.ok(memorySize([Buffer.alloc(65_536).subarray(5, 9)]) >= 65_536);
  });

  it('is not counted far past what is enough, nor without end', () => {
    let read = 0;
    const member = { enumerable: true, get: () => ++read };
    const map = Object.defineProperties(
      {},
      Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`k${n}`, member])),
    );
    assert.ok(memorySize([map, map], 1000) > 1000);
    const circle: { self?: unknown } = {};
    circle.self = circle;
    assert.ok(memorySize(circle) > 1000);
  });
});
