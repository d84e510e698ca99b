import { FrameDecoder } from '../../../src/framing/frame-decoder';

/** A message as a test compares it. */
export interface Frame {
  readonly type: number;
  readonly body: string;
}

/** A decoder and what it delivered. */
export interface Recording {
  readonly decoder: FrameDecoder;
  readonly frames: Frame[];
}

/** A decoder that records what it delivers and then calls `onFrame`. */
export function record(maxBodySize = 262144, onFrame?: (recording: Recording) => void): Recording {
  const frames: Frame[] = [];
  const decoder = new FrameDecoder(maxBodySize, {
    handleFrame: (type, bytes, start, end) => {
      frames.push({ type, body: bytes.toString('hex', start, end) });
      onFrame?.({ decoder, frames });
    },
  });
  return { decoder, frames };
}

/** A message of that type with a body of `size` bytes that tells it from others. */
export function message(type: number, size: number): Buffer {
  const header: number[] = [type];
  let rest = size;
  for (; rest > 127; rest >>= 7) header.push((rest & 127) | 128);
  header.push(rest);
  return Buffer.concat([Buffer.from(header), Buffer.alloc(size, type)]);
}
