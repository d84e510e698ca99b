import type { Clock } from './clock';
import { guarded, warnProcess } from './guard';

/** Waits for a time in ms, but no longer than until `signal` aborts. */
export function pause(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const onEnd = guarded('pause ended', warnProcess, () => {
      timer.cancel();
      signal.removeEventListener('abort', onEnd);
      resolve();
    });
    const timer = clock.after(ms, onEnd);
    signal.addEventListener('abort', onEnd);
    if (signal.aborted) onEnd();
  });
}
