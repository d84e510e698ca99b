import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { FakeClock } from './fake-clock';

describe('fake clock', () => {
  it('runs timers in the order of their due times, then of their creation', async () => {
    const clock = new FakeClock();
    const ran: string[] = [];
    clock.after(20, () => ran.push(`c${clock.now()}`));
    clock.after(10, () => ran.push(`a${clock.now()}`));
    clock.after(10, () => ran.push(`b${clock.now()}`));
    await clock.advance(9);
    assert.deepEqual(ran, []);
    await clock.advance(11);
    assert.deepEqual(ran, ['a10', 'b10', 'c20']);
    assert.equal(clock.now(), 20);
  });

  it('lets promise reactions run between two timers, and timers that they make', async () => {
    const clock = new FakeClock(1000);
    const ran: string[] = [];
    const sleep = (ms: number): Promise<void> => new Promise((resolve) => clock.after(ms, resolve));
    const chain = async (): Promise<void> => {
      await sleep(10);
      ran.push(`first ${clock.now()}`);
      await sleep(10);
      ran.push(`second ${clock.now()}`);
    };
    const done = chain();
    clock.after(15, () => ran.push('between'));
    await clock.advance(20);
    assert.deepEqual(ran, ['first 1010', 'between', 'second 1020']);
    await done;
  });

  it('counts the timers that are left, and forgets cancelled ones', async () => {
    const clock = new FakeClock();
    const cancelled = clock.after(5, () => assert.fail('was cancelled'));
    clock.after(50, () => undefined);
    cancelled.cancel();
    assert.equal(clock.pending, 1);
    await clock.advance(50);
    assert.equal(clock.pending, 0);
  });

  it('rejects with what a callback throws, and stops a loop of timers', async () => {
    const clock = new FakeClock();
    clock.after(1, () => {
      throw new Error('from the callback');
    });
    await assert.rejects(clock.advance(1), /from the callback/);
    const loop = (): void => {
      clock.after(0, loop);
    };
    loop();
    await assert.rejects(clock.advance(1), /timers ran/);
  });
});
