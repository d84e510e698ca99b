import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { flowValue } from '../../../nodes/lib/flow/flow-value';
import { nodeError, statusReason } from '../../../nodes/lib/red/node-error';
import { StateFeed } from '../../../nodes/lib/flow/state-feed';
import { IotmpError, RemoteError, type Value } from '../../../src';

describe('a value in the form that flows get', () => {
  it('equals the original and shares nothing with it', () => {
    const original: Value = { list: [1, { deep: null }], raw: Buffer.from('x'), text: '' };
    const copy = flowValue(original);
    assert.deepEqual(copy, original);
    assert.ok(Buffer.isBuffer((copy as { raw: unknown }).raw));
    (copy as { list: Value[] }).list.push(2);
    (copy as { raw: Buffer }).raw[0] = 0;
    assert.deepEqual(original, {
      list: [1, { deep: null }],
      raw: Buffer.from('x'),
      text: '',
    });
  });

  it('keeps a key that would be a prototype', () => {
    const original = JSON.parse('{"__proto__":{"admin":true}}') as Value;
    const copy = flowValue(original);
    assert.deepEqual(Object.keys(copy as object), ['__proto__']);
    assert.equal(Object.getPrototypeOf(copy), Object.prototype);
  });
});

describe('an integer past 2^53 in a value for flows', () => {
  it('is its decimal text, wherever it is', () => {
    const rom = 2026619832316723752n;
    assert.equal(flowValue(rom), '2026619832316723752');
    assert.deepEqual(flowValue({ a: [{ rom, low: -(2n ** 63n), n: 5 }] }), {
      a: [{ rom: '2026619832316723752', low: '-9223372036854775808', n: 5 }],
    });
    const { cause } = nodeError(new RemoteError('no', 500, { rom }));
    assert.deepEqual(cause, { statusCode: 500, payload: { rom: '2026619832316723752' } });
  });

  it('stays one where the value was', () => {
    const original: Value = { rom: 2n ** 60n };
    flowValue(original);
    assert.deepEqual(original, { rom: 2n ** 60n });
  });
});

describe('an error of a node', () => {
  it('of a device has what it answered, as plain data', () => {
    const error = nodeError(new RemoteError('no', 418, { error: 'no' }));
    assert.deepEqual(error.cause, { statusCode: 418, payload: { error: 'no' } });
    assert.ok(Object.hasOwn(error, 'cause') && Object.hasOwn(error, 'code'));
  });

  it('is an Error with a code, whatever was thrown', () => {
    const own = new IotmpError('IOTMP_ERR_BUSY', 'full');
    assert.equal(nodeError(own), own);
    const made = nodeError('text');
    assert.ok(made instanceof IotmpError);
    assert.deepEqual([made.code, made.message], ['IOTMP_ERR_HANDLER', 'text']);
  });

  it('fits into a status', () => {
    assert.equal(statusReason(new Error('short')), 'short');
    const long = statusReason(new Error('x'.repeat(1000)));
    assert.equal(long.length, 40);
    assert.ok(long.endsWith('…'));
  });
});

describe('the state of a config node', () => {
  it('is told to those who watch, when it changes', () => {
    const feed = new StateFeed({ kind: 'waiting', text: 'starting' });
    const told: string[] = [];
    const end = feed.watch(({ kind, text }) => told.push(`${kind} ${text}`));
    feed.set({ kind: 'waiting', text: 'starting' });
    feed.set({ kind: 'up', text: 'starting' });
    feed.set({ kind: 'up', text: 'listening' });
    end();
    feed.set({ kind: 'off', text: '' });
    assert.deepEqual(told, ['up starting', 'up listening']);
    assert.deepEqual(feed.state, { kind: 'off', text: '' });
  });
});
