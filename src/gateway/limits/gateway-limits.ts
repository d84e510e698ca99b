import { IotmpError } from '../../errors';
import type { RateLimiter } from '../../util/rate-limiter';
import { rateExceeded } from '../http/request-error';

/** Limits of the gateway for programs. */
export interface GatewayLimits {
  /** Largest body of a request, in bytes. Without a token the limit is 16 KiB at most. */
  readonly maxBodyBytes: number;
  /** Maximum number of requests of one token in a second, in the long run. More of them wait, up to 5 s. */
  readonly requestsPerSecond: number;
  /** Maximum number of requests of one token at once, after a time of rest. */
  readonly requestBurst: number;
  /** Maximum number of requests without a token that are served at once, of one address or one IPv6 network. */
  readonly publicRequestsPerAddress: number;
  /** Maximum number of logins from one address, or one IPv6 network, in a minute. */
  readonly loginsPerMinute: number;
  /** Maximum number of sockets, event streams, and files and exports in transfer, of one token. */
  readonly socketsPerToken: number;
  /** The same of all tokens together. */
  readonly maxSockets: number;
  /** Maximum number of streams, or of subscriptions to events, in one socket. */
  readonly streamsPerSocket: number;
  /** Maximum number of bytes that wait for a slow reader. Further frames are left out. */
  readonly maxBufferedBytes: number;
  /** Time after which a client that reads nothing is disconnected, in ms. */
  readonly drainTimeoutMs: number;
  /** Maximum number of devices of one user that are made over the API. */
  readonly devicesPerUser: number;
  /** Largest file in a storage, in bytes. */
  readonly fileBytes: number;
  /** Bytes of all files of a storage. */
  readonly storageBytes: number;
  /** Maximum number of files and folders in a storage. */
  readonly storageEntries: number;
}

const DEFAULT_LIMITS: GatewayLimits = {
  maxBodyBytes: 1_048_576,
  requestsPerSecond: 200,
  requestBurst: 1000,
  publicRequestsPerAddress: 16,
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
