import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { IotmpError, errorText, RemoteError } from '../../src/errors';
import { printable, printableJson } from '../../src/printable';

describe('printable text', () => {
  it('escapes what is not seen, and leaves what is', () => {
    for (const [text, wanted] of [
      ['Größe 20 °C, 温度 “x” 🙂', 'Größe 20 °C, 温度 “x” 🙂'],
      ['a\nb\rc\td\0', String.raw`a\nb\rc\td\u0000`],
      ['\x1b[31m\x7f\x85\x9b', String.raw`\u001b[31m\u007f\u0085\u009b`],
      ['\u202e\u2066\u200f\u061c', String.raw`\u202e\u2066\u200f\u061c`],
      ['\u2028\u2029', String.raw`\u2028\u2029`],
      ['\u200b\u200d\ufeff\u00ad\u3164\u2800\u034f', String.raw`\u200b\u200d\ufeff\u00ad\u3164\u2800\u034f`],
      ['\ud83d', String.raw`\ud83d`],
      ['\u{e0041}', String.raw`\u{e0041}`],
    ] as const) {
      assert.equal(printable(text), wanted);
      assert.equal(printable(wanted), wanted);
    }
  });

  it('is cut to 1,000 characters', () => {
    assert.equal(printable('x'.repeat(1000)), 'x'.repeat(1000));
    assert.equal(printable('x'.repeat(1001)), `${'x'.repeat(999)}…`);
  });

  it('is cut to 1,000 characters also where it was escaped, and not within a character', () => {
    for (const text of ['\u202e', '\n', '\u{e0041}', '🙂', 'x🙂']) {
      const made = printable(text.repeat(5000));
      assert.ok(made.length <= 1000 && made.endsWith('…'), text);
      assert.equal(printable(made), made);
    }
  });

  it('stays JSON as JSON', () => {
    const value = { who: 'a\n"\u202e\u{e0041}\ud83d\x7f\u2028' };
    const text = printableJson(value);
    assert.equal(printable(text), text);
    assert.deepEqual(JSON.parse(text), value);
  });

  it('is the text of every error', () => {
    const text = 'a\n30 Nov [warn] forged \u202e';
    const wanted = String.raw`a\n30 Nov [warn] forged \u202e`;
    assert.equal(new IotmpError('IOTMP_ERR_CLOSED', text).message, wanted);
    assert.equal(new RemoteError(text, 500, text).message, wanted);
    assert.equal(new RemoteError(text, 500, text).payload, text, 'what came is kept');
    for (const thrown of [new Error(text), text]) assert.equal(errorText(thrown), wanted);
  });
});
