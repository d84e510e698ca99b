import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { SafeEmitter } from '../../../src/util/safe-emitter';

class Bell extends SafeEmitter<{ ring: [times: number]; rest: [] }> {
  readonly faults: unknown[] = [];

  ring(times: number): void {
    this.tell('ring', times);
  }

  protected override handleListenerFault(name: string, error: unknown): void {
    this.faults.push([name, error]);
    if (error === 'worst') throw new Error('no way to tell');
  }
}

describe('A safe emitter', () => {
  it('calls the other listeners when one throws, and tells of the fault', () => {
    const bell = new Bell();
    const heard: string[] = [];
    bell.on('ring', (times) => heard.push(`first ${times}`));
    bell.on('ring', () => {
      throw new Error('deaf');
    });
    bell.on('ring', (times) => heard.push(`last ${times}`));
    bell.ring(3);
    assert.deepEqual(heard, ['first 3', 'last 3']);
    assert.deepEqual(bell.faults, [['ring', new Error('deaf')]]);
  });

  it('calls a listener that is there for once only once', () => {
    const bell = new Bell();
    let calls = 0;
    bell.once('ring', () => calls++);
    bell.ring(1);
    bell.ring(2);
    assert.equal(calls, 1);
    assert.equal(bell.listenerCount('ring'), 0);
  });

  it('does not throw when the fault cannot be told: the process is warned', async () => {
    const bell = new Bell();
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
    bell.on('ring', () => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- code without types throws anything
      throw 'worst';
    });
    bell.ring(1);
    assert.equal((await warned).message, 'no way to tell');
  });
});
