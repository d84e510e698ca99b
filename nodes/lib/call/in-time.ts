import { guarded, IotmpError, warnProcess, type ErrorCode } from '../../../src';

/** How long somebody waits. */
export interface Patience {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Waits for work no longer than allowed. Its signal tells the work that nobody waits any more.
 * @throws IotmpError (as a rejection) IOTMP_ERR_TIMEOUT, IOTMP_ERR_ABORTED, and what the work rejects with
 */
export async function inTime<Result>(
  { timeoutMs, signal }: Patience,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const end = new AbortController();
  const cut = Promise.withResolvers<never>();
  const giveUp = (code: ErrorCode, text: string): void => {
    cut.reject(new IotmpError(code, text));
    end.abort();
  };
  const onAbort = guarded('node work abort', warnProcess, () =>
    giveUp('IOTMP_ERR_ABORTED', 'the node was stopped'),
  );
  const onTimeout = guarded('node work timeout', warnProcess, () =>
    giveUp('IOTMP_ERR_TIMEOUT', 'no answer in time'),
  );
  const timer = setTimeout(onTimeout, timeoutMs);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([cut.promise, work(end.signal)]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
