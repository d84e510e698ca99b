import { errorText } from '../errors';

/** Deals with what a guarded callback threw: ends what it belongs to, or tells somebody who can act. */
export type FaultHandler = (error: unknown) => void;

declare const guard: unique symbol;

/** A callback that never throws, as {@link guarded} makes it; the mark exists for the compiler alone. */
export type Guarded<Args extends unknown[]> = ((...args: Args) => void) & { readonly [guard]: true };

/**
 * Makes a callback that may be handed to Node.js, to a promise or to another library. Whatever it throws goes to
 * `onFault` instead of ending the process. Every such callback of this package is made here, which a spec checks.
 * @param place names the callback in reports; no two callbacks share a name
 * @param onFault may throw itself: that becomes a warning of the process
 */
export function guarded<Args extends unknown[]>(
  place: string,
  onFault: FaultHandler,
  callback: (...args: Args) => void,
): Guarded<Args> {
  const safe = (...args: Args): void => {
    try {
      callback(...args);
    } catch (error) {
      giveFault(place, onFault, error);
    }
  };
  return safe as Guarded<Args>;
}

/** Deals itself with what its callbacks throw: of many of its kind, none needs a function for that. */
export interface FaultOwner {
  handleFault(error: unknown): void;
}

/**
 * Makes one listener for all emitters of a kind, as {@link guarded} does for one: functions for each of ten thousand
 * connections cost memory. The emitter is what Node.js calls a listener with as `this`.
 * @param place as of {@link guarded}
 */
export function guardedListener<Emitter, Args extends unknown[]>(
  place: string,
  onFault: (error: unknown, emitter: Emitter) => void,
  listener: (emitter: Emitter, ...args: Args) => void,
): Guarded<Args> {
  function safe(this: Emitter, ...args: Args): void {
    try {
      listener(this, ...args);
    } catch (error) {
      giveFault(place, (fault) => onFault(fault, this), error);
    }
  }
  return safe as Guarded<Args>;
}

/**
 * Lets a promise go that nobody waits for. A rejection goes to `onFault`.
 * @param place as of {@link guarded}
 */
export function detached(place: string, onFault: FaultHandler, promise: PromiseLike<unknown>): void {
  promise.then(
    undefined,
    guarded(place, warnProcess, (error: unknown) => onFault(error)),
  );
}

/** The last to hear of a fault: it becomes a warning of the process, which Node.js prints. */
export function warnProcess(error: unknown): void {
  process.emitWarning(errorText(error), 'IotmpFault');
}

function giveFault(place: string, onFault: FaultHandler, error: unknown): void {
  try {
    onFault(error);
  } catch (again) {
    warnProcess(`${place}: ${errorText(error)}; then ${errorText(again)}`);
  }
}
