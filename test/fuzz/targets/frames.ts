import assert from 'node:assert/strict';
import { IotmpError } from '../../../src/errors';
import { FrameDecoder } from '../../../src/framing/frame-decoder';
import { vectors } from '../../unit/support/vectors';
import type { FuzzTarget } from '../target';

/** Small enough that bodies are skipped, and that some are refused. */
const LIMITS = { kept: 200, skipped: 1000 };

/** What the framing made of some bytes. */
interface Outcome {
  readonly frames: string[];
  error: string | undefined;
}

/** A stream of messages: it has to be cut in the same places however it arrives. */
export class Frames implements FuzzTarget {
  readonly name = 'frames';
  readonly weight = 50;
  readonly framed = true;
  readonly seeds = vectors.filter(({ direction }) => direction !== 'value').map(({ bytes }) => bytes);

  run(input: Buffer): string {
    const bytes = Buffer.from(input);
    const whole = cut(bytes, bytes.length);
    for (const size of [1, 2 + (bytes.length % 11)]) {
      const pieces = cut(bytes, size);
      assert.deepEqual(pieces, whole, `in pieces of ${size} bytes it is another stream`);
    }
    return whole.error ?? (whole.frames.length > 0 ? 'framed' : 'incomplete');
  }
}

function cut(bytes: Buffer, size: number): Outcome {
  const outcome: Outcome = { frames: [], error: undefined };
  const decoder = new FrameDecoder(LIMITS.kept, {
    handleFrame: (type, chunk, start, end) =>
      void outcome.frames.push(`${type} ${chunk.subarray(start, end).toString('latin1')}`),
    handleSkipped: (type, { size: length, streamId }) =>
      void outcome.frames.push(`${type} of ${length} skipped, id ${streamId ?? 'lost'}`),
  });
  decoder.limit(LIMITS.kept, LIMITS.skipped);
  try {
    for (let at = 0; at < bytes.length; at += size) decoder.push(bytes.subarray(at, at + size));
  } catch (error) {
    if (!(error instanceof IotmpError)) throw error;
    outcome.error = error.code;
  }
  return outcome;
}
