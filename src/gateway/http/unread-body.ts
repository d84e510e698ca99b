import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../util/clock';
import { guarded, warnProcess } from '../../util/guard';

/** Time that a client has to read the answer and to end its body, in ms. */
const LINGER_MS = 5_000;

/**
 * Drops the rest of a body that nobody wants, so that the client gets to read the answer: a connection that is closed while
 * the client still sends loses what was answered. A body that does not end in time, or before `closing` aborts, is cut.
 */
export function dropBody(request: IncomingMessage, clock: Clock, closing: AbortSignal): void {
  const { socket } = request;
  if (socket.destroyed) return;
  const cut = guarded('unread body cut', warnProcess, () => void socket.destroy());
  const timer = clock.after(LINGER_MS, cut);
  const onEnd = guarded('unread body end', warnProcess, () => {
    timer.cancel();
    closing.removeEventListener('abort', cut);
    socket.off('close', onEnd);
  });
  closing.addEventListener('abort', cut);
  request.once('end', onEnd);
  socket.once('close', onEnd);
  request.resume();
}
