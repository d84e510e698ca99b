import assert from 'node:assert/strict';
import { decodeValue } from '../../../src/codec/reading/pson-decoder';
import { encodeValue } from '../../../src/codec/writing/pson-encoder';
import { DecodeError } from '../../../src/errors';
import { messageVectors, valueVectors } from '../../unit/support/vectors';
import { rawFields } from '../../unit/support/raw-message';
import type { FuzzTarget } from '../target';
import { sameValue } from './same-value';

/** A value as PSON alone. */
export class Values implements FuzzTarget {
  readonly name = 'value';
  readonly weight = 360;
  readonly seeds = [
    ...valueVectors.map(({ bytes }) => bytes),
    ...messageVectors
      .filter(({ canonical }) => canonical)
      .flatMap(({ bytes }) => rawFields(bytes))
      .filter(({ wire }) => wire === 2)
      .map(({ value }) => value),
  ];

  run(input: Buffer): string {
    let value;
    try {
      value = decodeValue(input);
    } catch (error) {
      if (error instanceof DecodeError) return error.reason;
      throw error;
    }
    const bytes = encodeValue(value);
    const again = decodeValue(bytes);
    assert.ok(sameValue(value, again), 'decoding what it encodes to gives another value');
    assert.ok(bytes.equals(encodeValue(again)), 'the same value is encoded in two ways');
    return typeof value;
  }
}
