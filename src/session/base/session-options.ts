import { BodyLimit, MAX_DEPTH } from '../../codec/constants';
import { IotmpError } from '../../errors';
import { systemClock, type Clock } from '../../util/clock';

/** Limits and times of a session. All have defaults; see {@link defaultSessionOptions}. */
export interface SessionOptions {
  /** Largest body that this end accepts, in bytes. */
  readonly maxBodySize: number;
  /** Largest body that the peer accepts, in bytes (`protocol.md` section 1). */
  readonly peerMaxBodySize: number;
  /** Time for an answer to a request, in ms. */
  readonly requestTimeoutMs: number;
  /** Time that a hosted resource has for its answer, in ms, unless it names its own. */
  readonly handlerTimeoutMs: number;
  /** Requests of this end that may wait for their answer. */
  readonly maxPendingRequests: number;
  /** Calls of the peer that may be worked on at once; more get ERROR 503. */
  readonly maxConcurrentCalls: number;
  /** Streams in each direction. */
  readonly maxStreams: number;
  /** Samples of one stream that wait for a slow peer; the oldest gives way. */
  readonly maxQueuedSamples: number;
  /**
   * Bytes that a conversation may hold in each direction before its fast end is stopped. One that holds four times as much
   * ends.
   */
  readonly maxConversationBytes: number;
  /** Bytes waiting for the peer past which new requests are refused, and (four times as many) reading stops. */
  readonly maxBufferedBytes: number;
  /** Time in which a peer that stopped reading has to take what waits, in ms. */
  readonly drainTimeoutMs: number;
  /** Deepest nesting that is decoded. */
  readonly maxDepth: number;
  readonly clock: Clock;
}

export const defaultSessionOptions: SessionOptions = Object.freeze({
  maxBodySize: BodyLimit.LINUX,
  peerMaxBodySize: BodyLimit.LINUX,
  requestTimeoutMs: 10_000,
  handlerTimeoutMs: 30_000,
  maxPendingRequests: 1024,
  maxConcurrentCalls: 256,
  maxStreams: 1024,
  maxQueuedSamples: 64,
  maxConversationBytes: 1024 * 1024,
  maxBufferedBytes: 1024 * 1024,
  drainTimeoutMs: 30_000,
  maxDepth: MAX_DEPTH,
  clock: systemClock,
});

/** What has been checked: the connections of a server share one set of options, which is checked once. */
const checked = new WeakSet<Partial<SessionOptions>>();

/**
 * Options with their defaults, checked and frozen.
 * @throws IotmpError IOTMP_ERR_CONFIG naming the option that is not a positive whole number
 */
export function sessionOptions(options: Partial<SessionOptions> = {}): SessionOptions {
  if (isChecked(options)) return options;
  const merged: SessionOptions = { ...defaultSessionOptions, ...options };
  for (const [name, value] of Object.entries(merged)) {
    if (name !== 'clock' && (!Number.isSafeInteger(value) || value < 1)) {
      throw new IotmpError(
        'IOTMP_ERR_CONFIG',
        `${name} must be a positive whole number, not ${String(value)}`,
      );
    }
  }
  checked.add(merged);
  return Object.freeze(merged);
}

function isChecked(options: Partial<SessionOptions>): options is SessionOptions {
  return checked.has(options);
}
