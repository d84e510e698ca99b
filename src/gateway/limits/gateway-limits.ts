import { IotmpError } from '../../errors';
import type { RateLimiter } from '../../util/rate-limiter';
import { rateExceeded } from '../http/request-error';

/** What programs may ask of the gateway. */
export interface GatewayLimits {
  /** Largest body of a request, in bytes; of one without a token it is 16 KiB at most. */
  readonly maxBodyBytes: number;
  /** Requests of one token in a second, in the long run. */
  readonly requestsPerSecond: number;
  /** Requests of one token at once. */
  readonly requestBurst: number;
  /** Attempts to log in from one address, or one IPv6 network, in a minute. */
  readonly loginsPerMinute: number;
  /** Sockets, event streams, and files and exports that are being fetched, of one token at a time. */
  readonly socketsPerToken: number;
  /** The same of all. */
  readonly maxSockets: number;
  /** Streams, or subscriptions of events, in one socket. */
  readonly streamsPerSocket: number;
  /** Bytes that may wait for a slow reader before what comes is left out. */
  readonly maxBufferedBytes: number;
  /** Time after which a reader that takes nothing is cut off, in ms. */
  readonly drainTimeoutMs: number;
  /** Devices that one user may make over the API. */
  readonly devicesPerUser: number;
  /** Largest file in a storage, in bytes. */
  readonly fileBytes: number;
  /** Bytes of all files of a storage. */
  readonly storageBytes: number;
  /** Files and folders of a storage. */
  readonly storageEntries: number;
}

const DEFAULT_LIMITS: GatewayLimits = {
  maxBodyBytes: 1_048_576,
  requestsPerSecond: 200,
  requestBurst: 1000,
  loginsPerMinute: 30,
  socketsPerToken: 100,
  maxSockets: 5000,
  streamsPerSocket: 256,
  maxBufferedBytes: 1_048_576,
  drainTimeoutMs: 30_000,
  devicesPerUser: 10_000,
  fileBytes: 67_108_864,
  storageBytes: 1_073_741_824,
  storageEntries: 10_000,
};

/**
 * Limits with their defaults, checked.
 * @throws IotmpError IOTMP_ERR_CONFIG naming the limit
 */
export function gatewayLimits(given: Partial<GatewayLimits> = {}): GatewayLimits {
  for (const [name, value] of Object.entries(given)) {
    if (Number.isFinite(value) && value > 0) continue;
    throw new IotmpError('IOTMP_ERR_CONFIG', `${name} must be a number above 0`);
  }
  return Object.freeze({ ...DEFAULT_LIMITS, ...given });
}

/**
 * Takes one of a key's turns.
 * @throws RateError when the key has no turn left
 */
export function checkRate(limiter: RateLimiter, key: string): void {
  const waitS = limiter.take(key);
  if (waitS > 0) throw rateExceeded(waitS);
}
