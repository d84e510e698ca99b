import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { SampleAge } from '../../../nodes/lib/flow/sample-age';
import { cleanUp } from '../../support/clean-up';
import { fakes } from '../../support/fakes';

function start(): { told: string[]; age: SampleAge; pass: (seconds: number) => void; timers: () => number } {
  const clock = fakes.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  const told: string[] = [];
  const age = new SampleAge((silence) =>
    told.push(silence === undefined ? 'samples' : `${silence.age}${silence.isFirst ? ', none yet' : ''}`),
  );
  cleanUp(() => age.end());
  return { told, age, pass: (seconds) => clock.tick(1000 * seconds), timers: () => clock.countTimers() };
}

describe('the age of the last sample', () => {
  it('is not told while samples come', () => {
    const { told, age, pass } = start();
    age.begin(1000);
    for (let i = 0; i < 100; i++) {
      pass(1);
      age.heard();
    }
    assert.deepEqual(told, []);
  });

  it('is told in steps of ten seconds, minutes, hours and days', () => {
    const { told, age, pass } = start();
    age.begin(0);
    age.heard();
    pass(35);
    assert.deepEqual(told.splice(0), ['10 s', '20 s', '30 s']);
    pass(30);
    assert.deepEqual(told.splice(0), ['40 s', '50 s', '1 min']);
    pass(3600);
    assert.equal(told.length, 59);
    assert.deepEqual(told.splice(0).slice(-2), ['59 min', '1 h']);
    pass(23 * 3600);
    assert.deepEqual(told.splice(0).slice(-2), ['23 h', '1 d']);
    age.heard();
    assert.deepEqual(told, ['samples']);
  });

  it('is that of the opening where no sample has come', () => {
    const { told, age, pass } = start();
    age.begin(0);
    pass(20);
    assert.deepEqual(told, ['10 s, none yet', '20 s, none yet']);
  });

  it('is told later where samples are to come seldom', () => {
    const { told, age, pass } = start();
    age.begin(60_000);
    age.heard();
    pass(89);
    assert.deepEqual(told, []);
    pass(2);
    assert.deepEqual(told, ['1 min']);
  });

  it('is told no more when the stream ends, and leaves no timer', () => {
    const { told, age, pass, timers } = start();
    age.begin(0);
    assert.equal(timers(), 1);
    age.end();
    pass(100);
    assert.deepEqual([told, timers()], [[], 0]);
  });
});
