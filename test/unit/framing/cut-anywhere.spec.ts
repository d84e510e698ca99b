import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import fc from 'fast-check';
import { MessageType } from '../../../src/codec/constants';
import { times } from '../../support/effort';
import { messageVectors } from '../support/vectors';
import { message, record, type Frame } from './frames';

const RUNS = times(300);

const captured = messageVectors
  .filter((vector) => vector.type !== MessageType.RESERVED)
  .map(({ bytes }) => bytes);

/** Few enough to try each pair of cuts, and of every kind: short, with a size of two bytes, with padded varints. */
const sequence = [
  Buffer.from('0500', 'hex'),
  ...captured.slice(0, 6),
  message(10, 200),
  Buffer.from('8600840001020304', 'hex'),
  message(1, 128),
  Buffer.from('0100', 'hex'),
];

function framesOf(chunks: readonly Buffer[]): Frame[] {
  const { decoder, frames } = record();
  for (const chunk of chunks) decoder.push(chunk);
  return frames;
}

/** Cuts bytes at the given positions, which may be equal and in any order. */
function cut(bytes: Buffer, positions: readonly number[]): Buffer[] {
  const bounds = [0, ...positions.toSorted((a, b) => a - b), bytes.length];
  return bounds.slice(1).map((end, index) => bytes.subarray(bounds[index], end));
}

describe('a stream of messages', () => {
  const bytes = Buffer.concat(sequence);
  const expected = sequence.flatMap((part) => framesOf([part]));

  it('gives the same messages in one chunk, in one chunk each, and byte by byte', () => {
    assert.equal(expected.length, sequence.length);
    assert.deepEqual(framesOf([bytes]), expected);
    assert.deepEqual(framesOf(sequence), expected);
    assert.deepEqual(framesOf(Array.from(bytes, (_, at) => bytes.subarray(at, at + 1))), expected);
  });

  it('gives the same messages wherever it is cut once', () => {
    for (let at = 0; at <= bytes.length; at++)
      assert.deepEqual(framesOf(cut(bytes, [at])), expected, `at ${at}`);
  });

  it('gives the same messages wherever it is cut twice', () => {
    const two = Buffer.concat([message(10, 130), Buffer.from('8600840001020304', 'hex'), message(2, 3)]);
    const frames = framesOf([two]);
    assert.equal(frames.length, 3);
    for (let first = 0; first <= two.length; first++) {
      for (let second = first; second <= two.length; second++) {
        assert.deepEqual(framesOf(cut(two, [first, second])), frames, `at ${first} and ${second}`);
      }
    }
  });

  it('gives the same messages for all captured ones, in chunks of any size', () => {
    const all = Buffer.concat(captured);
    const frames = framesOf(captured);
    assert.equal(frames.length, captured.length);
    assert.deepEqual(framesOf([all]), frames);
    for (const size of [1, 2, 3, 7, 64, 1460, 65536]) {
      const positions = Array.from(
        { length: Math.floor(all.length / size) },
        (_, index) => (index + 1) * size,
      );
      assert.deepEqual(framesOf(cut(all, positions)), frames, `chunks of ${size}`);
    }
  });

  it('gives the same messages cut, paused and resumed at random', () => {
    const steps = fc.array(fc.record({ at: fc.nat({ max: bytes.length }), pauses: fc.boolean() }), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(steps, fc.array(fc.boolean(), { maxLength: 20 }), (cuts, pausesInside) => {
        const { decoder, frames } = record(1000, (recording) => {
          if (pausesInside[recording.frames.length]) recording.decoder.pause();
        });
        const chunks = cut(
          bytes,
          cuts.map(({ at }) => at),
        );
        for (const [index, chunk] of chunks.entries()) {
          decoder.push(chunk);
          if (cuts[index]?.pauses) decoder.pause();
          else decoder.resume();
        }
        for (let round = 0; round <= sequence.length; round++) decoder.resume();
        assert.deepEqual(frames, expected);
      }),
      { numRuns: RUNS },
    );
  });
});
