/** Longest that a call of an endpoint may wait for a flow, in s: so long a program waits for its answer at most. */
const MAX_TIME_S = 60;
/** Microcontrollers give up after this time, in s, and stand still until then. */
const PATIENCE_S = 10;
/** What leaves them time to hear that there is no answer, in s. */
const HEARD_S = 8;

/**
 * Time that a flow has for the call of an endpoint, in s, when this was asked for. Up to 10 s it ends early enough for all
 * devices; more is for callers that wait longer, as devices on Linux and programs do, and ends after 60 s.
 */
export function endpointTimeS(timeoutS: number): number {
  return timeoutS <= PATIENCE_S ? Math.min(timeoutS, HEARD_S) : Math.min(timeoutS, MAX_TIME_S);
}
