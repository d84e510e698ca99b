import { IotmpError } from '../../errors';
import type { Clock } from '../../util/clock';
import { guarded, warnProcess } from '../../util/guard';
import { RateLimiter, wholeSeconds, type Rate } from '../../util/rate-limiter';
import { closed, rateExceeded } from '../http/request-error';
import { checkRate } from './gateway-limits';

/** Longest time that a request waits for its turn, in ms. */
const MAX_WAIT_MS = 5_000;
/** Maximum number of requests of one token that wait. */
const MAX_WAITING = 1000;

/** What the waiting of a request depends on. */
export interface WaitingRequest {
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** Called when the request has to wait; the returned function is called when it has waited. */
  readonly hold: () => () => void;
}

/**
 * Limits the requests of each token. A program that sends more for a while is slowed down, and loses nothing: past the limit a
 * request waits for its turn. Only one that would wait too long is refused.
 */
export class RequestTurns {
  readonly #limiter: RateLimiter;
  readonly #clock: Clock;
  readonly #closing: AbortSignal;
  /** Requests that wait, by token. */
  readonly #waiting = new Map<string, number>();

  /** @param closing ends all waiting */
  constructor(rate: Rate, clock: Clock, closing: AbortSignal) {
    this.#limiter = new RateLimiter(rate, clock);
    this.#clock = clock;
    this.#closing = closing;
  }

  /**
   * Takes a turn that is free now.
   * @throws RateError
   */
  takeNow(key: string): void {
    checkRate(this.#limiter, key);
  }

  /**
   * Takes the next turn of a token; `undefined` when that is now, else a promise of it.
   * @throws RateError for a turn that is more than 5 s away, or for any but one now while 1,000 requests of the token wait
   */
  take(token: string, request: WaitingRequest): Promise<void> | undefined {
    const waiting = this.#waiting.get(token) ?? 0;
    const maxWaitMs = waiting < MAX_WAITING ? MAX_WAIT_MS : 0;
    const { isTaken, waitMs } = this.#limiter.reserve(token, maxWaitMs);
    if (!isTaken) throw rateExceeded(wholeSeconds(waitMs));
    return waitMs === 0 ? undefined : this.#wait(token, waitMs, request);
  }

  async #wait(token: string, waitMs: number, { signal, hold }: WaitingRequest): Promise<void> {
    this.#waiting.set(token, (this.#waiting.get(token) ?? 0) + 1);
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const timer = this.#clock.after(waitMs, () => resolve(undefined));
    const onEnd = guarded('turn given up', warnProcess, () => {
      reject(this.#closing.aborted ? closed() : new IotmpError('IOTMP_ERR_ABORTED', 'the client went away'));
    });
    for (const end of [signal, this.#closing]) end.addEventListener('abort', onEnd);
    if (signal.aborted || this.#closing.aborted) onEnd();
    const release = hold();
    try {
      await promise;
    } finally {
      release();
      timer.cancel();
      for (const end of [signal, this.#closing]) end.removeEventListener('abort', onEnd);
      this.#leave(token);
    }
  }

  #leave(token: string): void {
    const left = (this.#waiting.get(token) ?? 1) - 1;
    if (left > 0) this.#waiting.set(token, left);
    else this.#waiting.delete(token);
  }
}
