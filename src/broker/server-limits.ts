import { IotmpError } from '../errors';

/** Bounds of a server against floods, in the unit that the end of each name says; without one it is a number of things. */
export interface ServerLimits {
  /** Connections before login, from their second second on. Past it, the oldest of them gives way. */
  readonly pendingConnections: number;
  /** The same of one address, or one IPv6 network. */
  readonly pendingPerAddress: number;
}

/** Defaults of {@link ServerLimits}. */
export const defaultServerLimits: Readonly<ServerLimits> = Object.freeze({
  pendingConnections: 512,
  pendingPerAddress: 64,
});

/** Smallest and largest value of a whole number. */
export interface WholeRange {
  readonly min: number;
  readonly max: number;
}

/** Smallest and largest value of each of {@link ServerLimits}. */
export const serverLimitRanges: Readonly<Record<keyof ServerLimits, WholeRange>> = Object.freeze({
  pendingConnections: { min: 1, max: 1_000_000 },
  pendingPerAddress: { min: 1, max: 1_000_000 },
});

/**
 * Limits with their defaults, checked and frozen.
 * @throws IotmpError IOTMP_ERR_CONFIG naming the limit and its range
 */
export function serverLimits(given: Partial<ServerLimits>): ServerLimits {
  const limits: ServerLimits = { ...defaultServerLimits, ...given };
  for (const [name, range] of Object.entries(serverLimitRanges)) {
    checkWhole(name, Reflect.get(limits, name), range);
  }
  return Object.freeze(limits);
}

/**
 * Checks a whole number.
 * @throws IotmpError IOTMP_ERR_CONFIG naming it and its range
 */
export function checkWhole(name: string, value: unknown, { min, max }: WholeRange): void {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return;
  throw new IotmpError('IOTMP_ERR_CONFIG', `${name} must be a whole number from ${min} to ${max}`);
}
