import { systemClock, type Clock } from '../util/clock';

/** What every transport can be told. */
export interface TransportOptions {
  /** Bytes that may wait to be taken by the system before `send` returns false. Default 65536. */
  readonly highWaterMark?: number | undefined;
  /**
   * Milliseconds that the other end has to take what is buffered and to close its side, once either side began
   * to close; then the connection is cut. Default 2000.
   */
  readonly closeGraceMs?: number | undefined;
  /**
   * Milliseconds between two pings of a WebSocket, so that a proxy does not take the connection for idle. Answers are not
   * waited for. Default: none.
   */
  readonly pingMs?: number | undefined;
  /** Measures the grace. Default: the clock of the machine. */
  readonly clock?: Clock | undefined;
}

/** {@link TransportOptions} with every default filled in. */
export interface TransportSettings {
  readonly highWaterMark: number;
  readonly closeGraceMs: number;
  readonly pingMs: number | undefined;
  readonly clock: Clock;
}

const DEFAULTS: TransportSettings = {
  highWaterMark: 65_536,
  closeGraceMs: 2_000,
  pingMs: undefined,
  clock: systemClock,
};

/** Fills in the defaults. */
export function transportSettings(options?: TransportOptions): TransportSettings {
  if (options === undefined) return DEFAULTS;
  return {
    highWaterMark: options.highWaterMark ?? DEFAULTS.highWaterMark,
    closeGraceMs: options.closeGraceMs ?? DEFAULTS.closeGraceMs,
    pingMs: options.pingMs,
    clock: options.clock ?? DEFAULTS.clock,
  };
}
