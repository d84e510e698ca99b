import type { Value } from '../types';

/**
 * One message (`protocol.md` sections 1 and 2). An absent field is `undefined`; a field that holds PSON null
 * is `null`. All instances have the same shape, which keeps the code that handles them fast.
 */
export class Message {
  constructor(
    /** A known type of `MessageType`; unknown ones are skipped before they are decoded. */
    readonly type: number,
    /** 1..65535; 0 or undefined means that no answer is wanted. */
    readonly streamId?: number | undefined,
    readonly parameters?: Value | undefined,
    readonly payload?: Value | undefined,
    readonly resource?: Value | undefined,
  ) {}
}
