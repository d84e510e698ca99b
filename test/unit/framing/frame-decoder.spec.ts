import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { DecodeError, IotmpError } from '../../../src/errors';
import { FrameDecoder } from '../../../src/framing/frame-decoder';
import { message, record } from './frames';

function fromHex(hex: string): Buffer {
  return Buffer.from(hex, 'hex');
}

describe('framing', () => {
  it('delivers each message with its type and body', () => {
    const { decoder, frames } = record();
    decoder.push(fromHex('0500' + '0a03010203' + '7f0109' + 'c801020708'));
    assert.deepEqual(frames, [
      { type: 5, body: '' },
      { type: 10, body: '010203' },
      { type: 127, body: '09' },
      { type: 200, body: '0708' },
    ]);
  });

  it('hands out a whole message where it lies', () => {
    const chunk = Buffer.concat([message(1, 5), message(2, 300), message(3, 0)]);
    const places: [number, number][] = [];
    const decoder = new FrameDecoder(1000, {
      handleFrame: (_type, bytes, start, end) => {
        assert.equal(bytes, chunk);
        places.push([start, end]);
      },
    });
    decoder.push(chunk);
    assert.deepEqual(places, [
      [2, 7],
      [10, 310],
      [312, 312],
    ]);
  });

  it('hands out a body where it lies that comes in one piece after its header', () => {
    const whole = message(2, 300);
    const body = whole.subarray(3);
    const received: Buffer[] = [];
    const decoder = new FrameDecoder(1000, { handleFrame: (_type, bytes) => received.push(bytes) });
    decoder.push(whole.subarray(0, 3));
    decoder.push(body);
    assert.equal(received[0], body);
  });

  it('gives every collected message memory of its own', () => {
    const bodies: Buffer[] = [];
    const decoder = new FrameDecoder(1000, {
      handleFrame: (_type, bytes, start, end) => {
        bodies.push(bytes.subarray(start, end));
      },
    });
    for (const type of [1, 2, 3]) {
      const whole = message(type, 600);
      for (let at = 0; at < whole.length; at += 100) decoder.push(whole.subarray(at, at + 100));
    }
    assert.deepEqual(bodies, [Buffer.alloc(600, 1), Buffer.alloc(600, 2), Buffer.alloc(600, 3)]);
  });

  it('accepts padded varints of up to five bytes', () => {
    const { decoder, frames } = record();
    decoder.push(fromHex('8680808000' + '8280808000' + 'abcd' + 'ffffffff0f00' + '058000'));
    assert.deepEqual(frames, [
      { type: 6, body: 'abcd' },
      { type: 2 ** 32 - 1, body: '' },
      { type: 5, body: '' },
    ]);
  });

  it('ignores empty chunks', () => {
    const { decoder, frames } = record();
    for (const part of ['', '0a', '', '02', '', '01', '', '02', '']) decoder.push(fromHex(part));
    assert.deepEqual(frames, [{ type: 10, body: '0102' }]);
  });
});

describe('a bad header', () => {
  function assertFault(hex: string, expected: object): void {
    for (const step of [1, 1000]) {
      const { decoder, frames } = record(1000);
      const bytes = Buffer.concat([message(5, 1), fromHex(hex)]);
      const feed = (): void => {
        for (let at = 0; at < bytes.length; at += step) decoder.push(bytes.subarray(at, at + step));
      };
      assert.throws(feed, expected, hex);
      assert.equal(frames.length, 1, 'what came before it is delivered');
    }
  }

  it('is refused for its reason', () => {
    assertFault('0000', { code: 'IOTMP_ERR_PROTOCOL' });
    assertFault('808000', { code: 'IOTMP_ERR_PROTOCOL' });
    assertFault('068080808080', { reason: 'varint', offset: 1 });
    assertFault('8680808080', { reason: 'varint', offset: 0 });
    assertFault('06ffffffffffffffff', { reason: 'varint' });
    assertFault('06e907', { code: 'IOTMP_ERR_TOO_LARGE', statusCode: 413 });
    assertFault('06ffffffff7f', { code: 'IOTMP_ERR_TOO_LARGE' });
  });

  it('is told by the size alone, at a limit that is exact', () => {
    const { decoder, frames } = record(1000);
    decoder.push(message(6, 1000));
    assert.equal(frames.length, 1);
    assert.throws(() => decoder.push(fromHex('06e907')), IotmpError);
    const small = record(10);
    small.decoder.push(message(6, 10));
    assert.throws(() => small.decoder.push(message(6, 11)), { code: 'IOTMP_ERR_TOO_LARGE' });
    assert.equal(small.frames.length, 1);
  });

  it('ends the decoding until a reset', () => {
    const { decoder, frames } = record();
    assert.throws(() => decoder.push(fromHex('0000')), IotmpError);
    assert.throws(() => decoder.push(message(5, 1)), { code: 'IOTMP_ERR_PROTOCOL' });
    assert.throws(() => decoder.resume(), { code: 'IOTMP_ERR_PROTOCOL' });
    assert.equal(frames.length, 0);
    decoder.reset();
    decoder.push(message(5, 1));
    assert.equal(frames.length, 1);
  });

  it('behind a pause is found after it', () => {
    const { decoder, frames } = record(100, (recording) => recording.decoder.pause());
    decoder.push(Buffer.concat([message(5, 1), fromHex('06ffffffffff')]));
    assert.equal(frames.length, 1);
    assert.throws(() => decoder.resume(), DecodeError);
  });
});

describe('a pause', () => {
  it('within a message stops the delivery at once, and keeps the rest', () => {
    const { decoder, frames } = record(1000, (recording) => recording.decoder.pause());
    const chunk = Buffer.concat([message(1, 1), message(2, 200), message(3, 3)]);
    decoder.push(chunk.subarray(0, 100));
    assert.equal(decoder.paused, true);
    decoder.push(chunk.subarray(100));
    decoder.push(message(4, 4));
    for (const count of [1, 2, 3, 4]) {
      assert.equal(frames.length, count);
      decoder.resume();
    }
    assert.deepEqual(
      frames.map(({ type }) => type),
      [1, 2, 3, 4],
    );
  });

  it('before anything came holds everything back', () => {
    const { decoder, frames } = record();
    decoder.pause();
    decoder.push(message(1, 1));
    decoder.push(message(2, 1));
    assert.equal(frames.length, 0);
    decoder.resume();
    assert.equal(frames.length, 2);
    assert.equal(decoder.paused, false);
  });

  it('that is taken back within the same message changes nothing', () => {
    const { decoder, frames } = record(1000, (recording) => {
      recording.decoder.pause();
      recording.decoder.resume();
    });
    // So many that they overflow the stack if each of them is delivered within the one before.
    decoder.push(Buffer.alloc(200000, message(5, 0)));
    assert.equal(frames.length, 100000);
  });

  it('may collect very many small chunks', () => {
    const { decoder, frames } = record();
    decoder.pause();
    const bytes = Buffer.concat(Array.from({ length: 50000 }, () => message(7, 2)));
    for (let at = 0; at < bytes.length; at++) decoder.push(bytes.subarray(at, at + 1));
    decoder.resume();
    assert.equal(frames.length, 50000);
  });
});

describe('a handler of messages', () => {
  it('may push more, which is delivered in order', () => {
    const { decoder, frames } = record(1000, (recording) => {
      if (recording.frames.length < 3) recording.decoder.push(message(9, recording.frames.length));
    });
    decoder.push(Buffer.concat([message(1, 1), message(2, 1)]));
    assert.deepEqual(
      frames.map(({ type }) => type),
      [1, 2, 9, 9],
    );
  });

  it('may reset, and no other message follows', () => {
    const { decoder, frames } = record(1000, (recording) => recording.decoder.reset());
    decoder.push(Buffer.concat([message(1, 1), message(2, 200), Buffer.of(3)]));
    assert.equal(frames.length, 1);
    decoder.push(message(4, 300));
    assert.deepEqual(
      frames.map(({ type }) => type),
      [1, 4],
    );
  });

  it('may reset while chunks wait', () => {
    const { decoder, frames } = record(1000, (recording) => recording.decoder.reset());
    decoder.pause();
    for (const type of [1, 2, 3]) decoder.push(message(type, 1));
    decoder.resume();
    assert.equal(frames.length, 1);
    assert.equal(decoder.paused, false);
  });

  it('that throws has consumed its message, in place or collected', () => {
    let fails = true;
    const { decoder, frames } = record(1000, ({ frames: { length } }) => {
      if (fails) throw new Error(`message ${length}`);
    });
    const chunk = Buffer.concat([message(1, 1), message(2, 200), message(3, 300), message(4, 4)]);
    assert.throws(() => decoder.push(chunk.subarray(0, 300)), /message 1/);
    assert.throws(() => decoder.resume(), /message 2/);
    assert.throws(() => decoder.push(chunk.subarray(300)), /message 3/);
    fails = false;
    decoder.push(message(5, 5));
    assert.deepEqual(
      frames.map(({ type }) => type),
      [1, 2, 3, 4, 5],
    );
  });
});

describe('a reset', () => {
  it('forgets a message that was cut in its header or in its body', () => {
    for (const length of [1, 2, 3, 50]) {
      const { decoder, frames } = record();
      decoder.push(message(6, 200).subarray(0, length));
      decoder.reset();
      decoder.push(message(7, 1));
      assert.deepEqual(frames, [{ type: 7, body: '07' }]);
    }
  });
});
