/** A 32-bit float never needs more digits than this. */
const MAX_DIGITS = 9;
/** Between these a float with up to six decimals is found by multiplication. */
const MIN_FAST = 1e-3;
const MAX_FAST = 1e7;
const MAX_FAST_SCALE = 1e6;

/**
 * The shortest decimal that rounds to this 32-bit float: 23.4 for 23.399999618530273. Sensors send 32-bit floats, and
 * people want to see what the firmware meant.
 */
export function shortestFloat(value: number): number {
  const magnitude = Math.abs(value);
  // Readings have few decimals: trying one after the other takes nanoseconds, formatting and parsing a microsecond.
  if (magnitude >= MIN_FAST && magnitude < MAX_FAST) {
    for (let scale = 1; scale <= MAX_FAST_SCALE; scale *= 10) {
      const decimal = Math.round(value * scale) / scale;
      if (Math.fround(decimal) === value) return decimal;
    }
  }
  return bySignificantDigits(value);
}

function bySignificantDigits(value: number): number {
  if (value === 0 || !Number.isFinite(value)) return value;
  for (let digits = 1; digits < MAX_DIGITS; digits++) {
    const decimal = Number(value.toPrecision(digits));
    if (Math.fround(decimal) === value) return decimal;
  }
  return Number(value.toPrecision(MAX_DIGITS));
}
