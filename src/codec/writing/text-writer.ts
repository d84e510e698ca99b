import { PsonType } from '../constants';
import { headSize, writeHead } from './number-writer';
import type { OutputBuffer } from './output-buffer';

/** Up to here a loop over the characters is faster than a call into native code. */
const MAX_LOOPED = 16;
/** From here it pays to count the bytes first instead of reserving for the worst case. */
const MIN_COUNTED = 4096;
/** Bytes of UTF-8 that one UTF-16 unit takes at most. */
const MAX_UNIT_BYTES = 3;

/** Writes a string value (`protocol.md` section 3); a lone surrogate becomes U+FFFD, so that the output is valid UTF-8. */
export function writeText(out: OutputBuffer, text: string): void {
  // Most strings of a device are short and ASCII: a loop saves the native call, which alone costs more than they do.
  if (text.length <= MAX_LOOPED && writeShortAscii(out, text)) return;
  if (text.length >= MIN_COUNTED) writeLongText(out, text);
  else writeMediumText(out, text);
}

function writeShortAscii(out: OutputBuffer, text: string): boolean {
  out.ensure();
  const bytes = out.bytes;
  const start = out.position + 1;
  const length = text.length;
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index);
    if (code > 0x7f) return false;
    bytes[start + index] = code;
  }
  bytes[start - 1] = (PsonType.STRING << 5) | length;
  out.position = start + length;
  return true;
}

/** Writes the text where it belongs if it is ASCII; else the head may be longer, and the text moves up. */
function writeMediumText(out: OutputBuffer, text: string): void {
  out.reserve(text.length * MAX_UNIT_BYTES);
  const start = out.position;
  const guess = headSize(text.length);
  const length = out.bytes.write(text, start + guess);
  const head = headSize(length);
  if (head !== guess) out.bytes.copyWithin(start + head, start + guess, start + guess + length);
  writeHead(out, PsonType.STRING, length);
  out.position += length;
}

function writeLongText(out: OutputBuffer, text: string): void {
  const length = Buffer.byteLength(text);
  out.reserve(length);
  writeHead(out, PsonType.STRING, length);
  out.position += out.bytes.write(text, out.position);
}
