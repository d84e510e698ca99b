import type { RawCall } from '../route';
import { guarded, warnProcess } from '../../util/guard';

/**
 * Takes a place, as sockets do, for an answer that may last: a file, or an export. It is given back when the client is
 * gone or has everything.
 * @returns aborts then, and when the answer has to end: its token counts no more, or the gateway is closed
 * @throws IotmpError IOTMP_ERR_BUSY when all places are taken
 */
export function takePlace({
  context,
  principal,
  signal,
}: Pick<RawCall, 'context' | 'principal' | 'signal'>): AbortSignal {
  const ended = new AbortController();
  const release = context.places.take(principal, () => ended.abort());
  const leave = guarded('lasting answer left', warnProcess, release);
  signal.addEventListener('abort', leave, { once: true });
  if (signal.aborted) leave();
  return AbortSignal.any([context.closing, signal, ended.signal]);
}
