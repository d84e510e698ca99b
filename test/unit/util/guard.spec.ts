import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, it } from 'mocha';
import { detached, guarded, guardedListener } from '../../../src/util/guard';

const broken = (): never => {
  throw new Error('broken');
};

/** Resolves with the next warning of the process. */
function nextWarning(): Promise<string> {
  return new Promise((resolve) =>
    process.once('warning', ({ name, message }) => resolve(`${name}: ${message}`)),
  );
}

describe('A guarded callback', () => {
  it('gets its arguments', () => {
    const calls: unknown[] = [];
    guarded('place', assert.ifError, (...args: number[]) => calls.push(args))(1, 2);
    assert.deepEqual(calls, [[1, 2]]);
  });

  it('gives what it throws to the fault handler', () => {
    const faults: unknown[] = [];
    guarded('place', (error) => faults.push(error), broken)();
    assert.deepEqual(faults, [new Error('broken')]);
  });

  it('does not throw when its fault handler does: the process is warned of both', async () => {
    const warned = nextWarning();
    const worse = (): never => {
      throw new Error('worse');
    };
    guarded('place', worse, broken)();
    assert.equal(await warned, 'IotmpFault: place: broken; then worse');
  });
});

describe('A guarded listener', () => {
  it('serves several emitters, each with its own arguments', () => {
    const calls: unknown[] = [];
    const [one, other] = [new EventEmitter(), new EventEmitter()];
    const listener = guardedListener('place', assert.ifError, (emitter: EventEmitter, ...args: number[]) =>
      calls.push([emitter === one ? 'one' : 'other', args]),
    );
    for (const emitter of [one, other]) emitter.on('event', listener);
    one.emit('event', 1);
    other.emit('event', 2, 3);
    assert.deepEqual(calls, [
      ['one', [1]],
      ['other', [2, 3]],
    ]);
  });

  it('gives what it throws to the fault handler, with the emitter', () => {
    const faults: unknown[] = [];
    const emitter = new EventEmitter();
    emitter.on(
      'event',
      guardedListener('place', (error, of) => faults.push([error, of === emitter]), broken),
    );
    emitter.emit('event');
    assert.deepEqual(faults, [[new Error('broken'), true]]);
  });

  it('does not throw when its fault handler does: the process is warned', async () => {
    const warned = nextWarning();
    const emitter = new EventEmitter();
    emitter.on('event', guardedListener('place', broken, broken));
    emitter.emit('event');
    assert.equal(await warned, 'IotmpFault: place: broken; then broken');
  });
});

describe('A detached promise', () => {
  it('gives its rejection to the fault handler', async () => {
    const faults: unknown[] = [];
    detached('place', (error) => faults.push(error), Promise.reject(new Error('late')));
    await new Promise(setImmediate);
    assert.deepEqual(faults, [new Error('late')]);
  });

  it('leaves a result alone', async () => {
    const faults: unknown[] = [];
    detached('place', (error) => faults.push(error), Promise.resolve(1));
    await new Promise(setImmediate);
    assert.deepEqual(faults, []);
  });

  it('leaves no rejection behind when its fault handler throws: the process is warned', async () => {
    const warned = nextWarning();
    detached('place', broken, Promise.reject(new Error('late')));
    assert.equal(await warned, 'IotmpFault: broken');
  });
});
