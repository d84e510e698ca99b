import assert from 'node:assert/strict';
import { MessageType } from '../../../src/codec/constants';
import type { Message } from '../../../src/codec/message';
import { decodeMessage, type DecodeOptions } from '../../../src/codec/reading/message-decoder';
import { encodeMessage } from '../../../src/codec/writing/message-encoder';
import { DecodeError } from '../../../src/errors';
import { vectors } from '../../unit/support/vectors';
import type { FuzzTarget } from '../target';
import { headerLength } from '../header-length';
import { sameValue } from './same-value';

const FIELDS = ['streamId', 'parameters', 'payload', 'resource'] as const;

/** The body of a message. Floats are exact: shortest ones are another number where 64 bits hold one of 32. */
export class Messages implements FuzzTarget {
  readonly name = 'message';
  readonly weight = 560;
  readonly seeds = vectors.filter(({ direction }) => direction !== 'value').map(({ bytes }) => bodyOf(bytes));
  #invalidTexts = 0;
  readonly #options: DecodeOptions = {
    maxDepth: 64,
    onInvalidText: () => this.#invalidTexts++,
  };

  run(input: Buffer): string {
    this.#invalidTexts = 0;
    let message: Message;
    try {
      message = this.#decode(input);
    } catch (error) {
      if (error instanceof DecodeError) return error.reason;
      throw error;
    }
    const replaced = this.#invalidTexts;
    const bytes = encodeMessage(message);
    const again = this.#decode(bodyOf(bytes));
    for (const field of FIELDS) assert.ok(sameField(message[field], again[field], field), `${field} changes`);
    assert.ok(bytes.equals(encodeMessage(again)), 'the same message is encoded in two ways');
    return replaced === 0 ? 'decoded' : 'replaced';
  }

  #decode(body: Buffer): Message {
    return decodeMessage(MessageType.RUN, body, 0, body.length, this.#options);
  }
}

/** A resource of -0 is written as the number 0. */
function sameField(one: unknown, other: unknown, field: (typeof FIELDS)[number]): boolean {
  return sameValue(one, other) || (field === 'resource' && one === 0 && other === 0);
}

function bodyOf(bytes: Buffer): Buffer {
  return bytes.subarray(headerLength(bytes));
}
