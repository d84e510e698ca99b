import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import fc from 'fast-check';
import { SamplePacing } from '../../../../src/broker/hub/sample-pacing';

/** Times of the samples that pass, of those that a device sends. */
function admitted(pacing: SamplePacing, times: readonly number[], deviceIntervalMs: number): number[] {
  return times.filter((time) => pacing.admits(time, deviceIntervalMs));
}

function grid(count: number, stepMs: number): number[] {
  return Array.from({ length: count }, (_, i) => i * stepMs);
}

describe('pacing', () => {
  it('lets every sample pass while the device is not faster than asked', () => {
    const times = [0, 3, 1000, 1001, 2500];
    assert.deepEqual(admitted(new SamplePacing(1000), times, 1000), times);
    assert.deepEqual(admitted(new SamplePacing(1000), times, 2000), times);
    assert.deepEqual(admitted(new SamplePacing(0), times, 0), times);
  });

  it('lets every n-th sample pass where the interval is a multiple', () => {
    assert.deepEqual(admitted(new SamplePacing(1500), grid(10, 500), 500), [0, 1500, 3000, 4500]);
  });

  it('keeps the average pace where the interval is no multiple', () => {
    const passed = admitted(new SamplePacing(1300), grid(1301, 1000), 1000);
    assert.equal(passed.length, 1001);
    const gaps = passed.slice(1).map((time, i) => time - (passed[i] ?? 0));
    assert.deepEqual([...new Set(gaps)].sort(), [1000, 2000]);
  });

  it('loses no beat and does not drift by jitter of a quarter of the interval', () => {
    const jitter = fc.array(fc.integer({ min: -125, max: 125 }), { minLength: 400, maxLength: 400 });
    fc.assert(
      fc.property(jitter, fc.integer({ min: 2, max: 7 }), (offsets, factor) => {
        const times = offsets.map((offset, i) => 500 * i + (i === 0 ? 0 : offset));
        const passed = admitted(new SamplePacing(500 * factor), times, 500);
        const beats = passed.map((time) => Math.round(time / 500));
        assert.deepEqual(beats, grid(Math.ceil(400 / factor), factor));
      }),
      { numRuns: 50 },
    );
  });

  it('follows a device whose clock runs a little faster or slower', () => {
    for (const step of [499.9, 500.1]) {
      const passed = admitted(new SamplePacing(1000), grid(20_000, step), 500);
      const gaps = passed.slice(1).map((time, i) => Math.round((time - (passed[i] ?? 0)) / step));
      assert.deepEqual([...new Set(gaps)], [2]);
    }
  });

  it('gives a device with a coarser clock than asked all that it has', () => {
    const times = grid(20, 1000);
    assert.deepEqual(admitted(new SamplePacing(600), times, 300), times);
  });

  it('goes on from the first sample after a pause, without making up for what was missed', () => {
    const passed = admitted(new SamplePacing(1000), [0, 500, 1000, 61_200, 61_700, 62_200], 500);
    assert.deepEqual(passed, [0, 1000, 61_200, 62_200]);
  });

  it('takes a sample that is half an interval of the device early for due, and none that is earlier', () => {
    const pacing = new SamplePacing(1000);
    assert.equal(pacing.admits(0, 500), true);
    assert.equal(pacing.admits(749, 500), false);
    assert.equal(pacing.admits(750, 500), true);
  });

  it('makes up for a beat that was late by no more than the interval', () => {
    const late = new SamplePacing(1000);
    assert.deepEqual(admitted(late, [0, 2000, 2300], 300), [0, 2000, 2300]);
    const later = new SamplePacing(1000);
    assert.deepEqual(admitted(later, [0, 2001, 2301], 300), [0, 2001]);
  });

  it('counts from a sample that was given late', () => {
    const pacing = new SamplePacing(10_000);
    assert.equal(pacing.untouched, true);
    pacing.anchor(3000);
    assert.equal(pacing.untouched, false);
    assert.deepEqual(admitted(pacing, grid(20, 1000), 1000), [13_000]);
  });

  it('lets the first sample of a new stream pass', () => {
    const pacing = new SamplePacing(10_000);
    assert.equal(pacing.admits(0, 1000), true);
    assert.equal(pacing.admits(1000, 1000), false);
    pacing.reset();
    assert.equal(pacing.admits(1500, 1000), true);
  });
});
