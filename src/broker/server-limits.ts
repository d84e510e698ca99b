import { IotmpError } from '../errors';

/**
 * Bounds of a server against floods, in the unit that the end of each name says; without one it is a number of things. What
 * goes past a bound is refused or gives way, is counted, and is reported once. `docs/limits.md` lists them.
 */
export interface ServerLimits {
  /**
   * Connections before login, from their second second on. Past it, the oldest of them gives way. 1..1000000.
   * @default 512
   */
  readonly pendingConnections: number;
  /**
   * The same of one address, or one IPv6 network. 1..1000000.
   * @default 64
   */
  readonly pendingPerAddress: number;
  /**
   * Memory of the last known states of one device. The state that was seen longest ago gives way. 1,024..2^30.
   * @default 1048576
   */
  readonly lastKnownBytesPerDevice: number;
  /**
   * Memory of the last known states of all devices. The device that was not used for longest gives way. 1,024..2^40.
   * @default 67108864
   */
  readonly lastKnownBytes: number;
  /**
   * Messages a second of one device over all its connections, and at once after a time of rest. Past it, the device is read
   * more slowly, and nothing is lost. 0 is no limit. 0..1000000.
   * @default 0
   */
  readonly messagesPerSecond: number;
  /**
   * Messages of topics that wait behind the retained messages of their subscriptions, of one device. The oldest is lost, or
   * the subscription ends, as its `qos` says. Also messages that wait to be kept: past it, they are delivered and not kept.
   * 1,024..2^30.
   * @default 16777216
   */
  readonly waitingMessageBytesPerDevice: number;
  /**
   * The same of all devices, and the messages of flows, programs and bridges that wait to be kept. 1,024..2^40.
   * @default 134217728
   */
  readonly waitingMessageBytes: number;
  /**
   * Values of one device that wait to be written: properties and rows of buckets. Past it, a write is refused with 503: the
   * device may come later. 262,144..2^30.
   * @default 4194304
   */
  readonly waitingWriteBytesPerDevice: number;
  /**
   * The same of all devices. 262,144..2^40.
   * @default 50331648
   */
  readonly waitingWriteBytes: number;
  /**
   * Locks that one device holds and waits for. Past it, a lock is refused with 503. 1..1000000.
   * @default 64
   */
  readonly locksPerDevice: number;
  /**
   * The same of all devices. 1..1000000.
   * @default 100000
   */
  readonly locks: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;
/** The largest limit of what is kept for one device, and in all, in bytes. */
const MOST_OF_ONE = 2 ** 30;
const MOST_OF_ALL = 2 ** 40;

/** Defaults of {@link ServerLimits}. */
export const defaultServerLimits: Readonly<ServerLimits> = Object.freeze({
  pendingConnections: 512,
  pendingPerAddress: 64,
  lastKnownBytesPerDevice: MIB,
  lastKnownBytes: 64 * MIB,
  messagesPerSecond: 0,
  waitingMessageBytesPerDevice: 16 * MIB,
  waitingMessageBytes: 128 * MIB,
  waitingWriteBytesPerDevice: 4 * MIB,
  waitingWriteBytes: 48 * MIB,
  locksPerDevice: 64,
  locks: 100_000,
});

/** Memory of one device, in MiB, as {@link deviceMemoryLimits} takes it. */
export const deviceMemory = Object.freeze({ default: 16, min: 1, max: 128 });

/**
 * The limits of one device by one number: the memory that its messages may wait in. What else is kept for a device is a part
 * of it, as in the defaults.
 * @param mebibytes as of {@link deviceMemory}
 */
export function deviceMemoryLimits(mebibytes: number): Partial<ServerLimits> {
  const scale = mebibytes / deviceMemory.default;
  const scaled = (bytes: number): number => Math.round(bytes * scale);
  return {
    waitingMessageBytesPerDevice: scaled(defaultServerLimits.waitingMessageBytesPerDevice),
    waitingWriteBytesPerDevice: scaled(defaultServerLimits.waitingWriteBytesPerDevice),
    lastKnownBytesPerDevice: scaled(defaultServerLimits.lastKnownBytesPerDevice),
  };
}

/** Smallest and largest value of a whole number. */
export interface WholeRange {
  readonly min: number;
  readonly max: number;
}

/** Smallest and largest value of each of {@link ServerLimits}. */
export const serverLimitRanges: Readonly<Record<keyof ServerLimits, WholeRange>> = Object.freeze({
  pendingConnections: { min: 1, max: 1_000_000 },
  pendingPerAddress: { min: 1, max: 1_000_000 },
  lastKnownBytesPerDevice: { min: KIB, max: MOST_OF_ONE },
  lastKnownBytes: { min: KIB, max: MOST_OF_ALL },
  messagesPerSecond: { min: 0, max: 1_000_000 },
  waitingMessageBytesPerDevice: { min: KIB, max: MOST_OF_ONE },
  waitingMessageBytes: { min: KIB, max: MOST_OF_ALL },
  waitingWriteBytesPerDevice: { min: 256 * KIB, max: MOST_OF_ONE },
  waitingWriteBytes: { min: 256 * KIB, max: MOST_OF_ALL },
  locksPerDevice: { min: 1, max: 1_000_000 },
  locks: { min: 1, max: 1_000_000 },
});

/**
 * Limits with their defaults, checked and frozen.
 * @throws IotmpError IOTMP_ERR_CONFIG naming the limit and its range
 */
export function serverLimits(given: Partial<ServerLimits>): ServerLimits {
  const named = Object.entries<number | undefined>(given).filter(([, value]) => value !== undefined);
  for (const [name, value] of named) checkLimit(name, value);
  return Object.freeze({ ...defaultServerLimits, ...Object.fromEntries(named) });
}

function checkLimit(name: string, value: unknown): void {
  const range = new Map(Object.entries(serverLimitRanges)).get(name);
  if (range === undefined) throw new IotmpError('IOTMP_ERR_CONFIG', `${name} is no limit of a server`);
  checkWhole(name, value, range);
}

/**
 * Checks a whole number.
 * @throws IotmpError IOTMP_ERR_CONFIG naming it and its range
 */
export function checkWhole(name: string, value: unknown, { min, max }: WholeRange): void {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return;
  throw new IotmpError('IOTMP_ERR_CONFIG', `${name} must be a whole number from ${min} to ${max}`);
}
