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
  whenOver,
}: Pick<RawCall, 'context' | 'principal' | 'whenOver'>): AbortSignal {
  const ended = new AbortController();
  const release = context.places.take(principal, () => ended.abort());
  whenOver(
    guarded('lasting answer left', warnProcess, () => {
      release();
      ended.abort();
    }),
  );
  return AbortSignal.any([context.closing, ended.signal]);
}
