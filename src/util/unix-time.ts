/** Programs give times in s or in ms. A larger one is in ms: in s it would be after the year 5000, in ms before 1974. */
const MAX_SECONDS = 1e11;

/** A time since 1970 that is given in s or in ms, in whole s. */
export function toUnixSeconds(time: number): number {
  return time > MAX_SECONDS ? Math.floor(time / 1000) : time;
}

/** A time since 1970 that is given in s or in ms, in ms. */
export function toUnixMs(time: number): number {
  return time > MAX_SECONDS ? time : time * 1000;
}
