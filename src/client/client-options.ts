import { BodyLimit, MAX_ENCODED_SIZE } from '../codec/constants';
import { IotmpError } from '../errors';
import { defaultSessionOptions } from '../session/base/session-options';
import { connectTransport, type ConnectOptions, type ConnectTarget } from '../transport/connect';
import { systemClock, type Clock } from '../util/clock';

/** What the client passes on to TLS. The server's certificate is checked unless `rejectUnauthorized` is false. */
export type ClientTlsOptions = Pick<
  NonNullable<ConnectOptions['tls']>,
  | 'ca'
  | 'cert'
  | 'checkServerIdentity'
  | 'ciphers'
  | 'key'
  | 'maxVersion'
  | 'minVersion'
  | 'passphrase'
  | 'pfx'
  | 'rejectUnauthorized'
  | 'servername'
>;

/** Who the client says it is (`protocol.md` section 4.1). */
export interface ClientIdentity {
  readonly user: string;
  readonly device: string;
  /** The password of the device; never shown in a log or an error. */
  readonly credential: string;
}

/** Delays between attempts to connect: doubled each time, and shortened at random by up to a half. */
export interface ReconnectDelays {
  /** The first delay at its longest, in ms. Default 1000. */
  readonly minMs: number;
  /** The longest delay, in ms. Default 60000. */
  readonly maxMs: number;
}

/** Options of an `IotmpClient`. */
export interface ClientOptions extends ClientIdentity {
  /** Host name or IP address of the server. */
  readonly host: string;
  /** 1..65535. Default 25204 for tcp, 25206 for tls, 80 for ws, 443 for wss. */
  readonly port?: number | undefined;
  /** Default `tcp`. */
  readonly transport?: ConnectTarget['transport'] | undefined;
  /** Path of a WebSocket. Default `/iotmp`. */
  readonly path?: string | undefined;
  /** For `tls`, `wss` and redirects to TLS. */
  readonly tls?: ClientTlsOptions | undefined;
  /** Time between KEEP_ALIVEs, in s, 1..1800 (`protocol.md` section 4.4). Default 60. */
  readonly keepAliveS?: number | undefined;
  /** Time to connect, and then again for the answer to CONNECT, in ms. Default 10000. */
  readonly connectTimeoutMs?: number | undefined;
  /** Time for the answer to a request, in ms. Default 10000. */
  readonly requestTimeoutMs?: number | undefined;
  /**
   * Largest body that this end accepts, in bytes, 1024 or more. Where given, the server is told by the parameter `mm`
   * of CONNECT, an extension that other servers ignore. Default 262144.
   */
  readonly maxMessageSize?: number | undefined;
  /**
   * Whether this end offers the compact form of samples (`protocol.md` section 6), by the parameter `cs` of CONNECT, an
   * extension that other servers ignore. With a server that knows it, all streams of both ends use it. Default false.
   */
  readonly compactStreams?: boolean | undefined;
  readonly reconnect?: Partial<ReconnectDelays> | undefined;
  /**
   * Time until another attempt after the server has refused this device, in ms: it may be registered by then. Without it
   * a refusal is final, until `connect()`.
   */
  readonly retryRefusedMs?: number | undefined;
  /** Default: the clock of the machine. */
  readonly clock?: Clock | undefined;
  /** For the jitter of delays. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
  /** Makes the connection. It must settle soon after its signal aborts. Default: the one over sockets. */
  readonly connectTransport?: typeof connectTransport | undefined;
}

/** {@link ClientOptions}, checked, with every default filled in. */
export interface ClientSettings {
  readonly target: ConnectTarget;
  readonly tls: ClientTlsOptions | undefined;
  readonly identity: ClientIdentity;
  readonly keepAliveS: number;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly maxMessageSize: number | undefined;
  readonly compactStreams: boolean;
  readonly reconnect: ReconnectDelays;
  readonly retryRefusedMs: number | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly connectTransport: typeof connectTransport;
}

/** Port of each transport where none is given (`protocol.md` section 1). */
export const DEFAULT_PORT = Object.freeze({ tcp: 25204, tls: 25206, ws: 80, wss: 443 });

/** Interval of KEEP_ALIVE that a server assumes where it is told none, in s (`protocol.md` section 4.1). */
export const DEFAULT_KEEP_ALIVE_S = 60;

const MAX_KEEP_ALIVE_S = 1800;
/** Longest time that a timer of Node.js takes, in ms. */
const MAX_TIME_MS = 2 ** 31 - 1;

/**
 * Checks options and fills in the defaults.
 * @throws IotmpError IOTMP_ERR_CONFIG naming the option and what it must be
 */
export function clientSettings(options: ClientOptions): ClientSettings {
  const { maxMessageSize, retryRefusedMs } = options;
  if (maxMessageSize !== undefined) {
    checkWhole('maxMessageSize', maxMessageSize, BodyLimit.SMALLEST, MAX_ENCODED_SIZE);
  }
  return Object.freeze({
    target: targetOf(options),
    tls: options.tls,
    identity: clientIdentity(options),
    keepAliveS: checkWhole('keepAliveS', options.keepAliveS ?? DEFAULT_KEEP_ALIVE_S, 1, MAX_KEEP_ALIVE_S),
    connectTimeoutMs: checkTime('connectTimeoutMs', options.connectTimeoutMs ?? 10_000),
    requestTimeoutMs: checkTime(
      'requestTimeoutMs',
      options.requestTimeoutMs ?? defaultSessionOptions.requestTimeoutMs,
    ),
    maxMessageSize,
    compactStreams: checkSwitch('compactStreams', options.compactStreams ?? false),
    reconnect: reconnectDelays(options.reconnect),
    retryRefusedMs: retryRefusedMs === undefined ? undefined : checkTime('retryRefusedMs', retryRefusedMs),
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
    connectTransport: options.connectTransport ?? connectTransport,
  });
}

/**
 * The identity alone, checked.
 * @throws IotmpError IOTMP_ERR_CONFIG
 */
export function clientIdentity({ user, device, credential }: ClientIdentity): ClientIdentity {
  checkText('user', user);
  checkText('device', device);
  checkText('credential', credential);
  if (device === '') throw configError('device must not be empty');
  return Object.freeze({ user, device, credential });
}

function targetOf(options: ClientOptions): ConnectTarget {
  const { host, path, transport = 'tcp' } = options;
  checkText('host', host);
  if (host.trim() === '') throw configError('host must not be empty');
  if (!Object.hasOwn(DEFAULT_PORT, transport)) {
    throw configError(`transport must be tcp, tls, ws or wss, not ${shown(transport)}`);
  }
  const port = checkWhole('port', options.port ?? DEFAULT_PORT[transport], 1, 65_535);
  if (path !== undefined && !(typeof path === 'string' && path.startsWith('/'))) {
    throw configError(`path must begin with "/", not be ${shown(path)}`);
  }
  return Object.freeze({ transport, host: host.trim(), port, path: path ?? '/iotmp' });
}

function reconnectDelays(given: Partial<ReconnectDelays> = {}): ReconnectDelays {
  const minMs = checkTime('reconnect.minMs', given.minMs ?? 1_000);
  const maxMs = checkTime('reconnect.maxMs', given.maxMs ?? 60_000);
  if (minMs > maxMs) {
    throw configError(`reconnect.minMs (${minMs}) must not be more than reconnect.maxMs (${maxMs})`);
  }
  return Object.freeze({ minMs, maxMs });
}

function checkTime(name: string, value: number): number {
  return checkWhole(name, value, 1, MAX_TIME_MS);
}

function checkWhole(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw configError(`${name} must be a whole number of ${min} to ${max}, not ${shown(value)}`);
}

function checkSwitch(name: string, value: boolean): boolean {
  if (typeof value === 'boolean') return value;
  throw configError(`${name} must be true or false, not ${shown(value)}`);
}

/** Says nothing of the value: it may be a secret. */
function checkText(name: string, value: unknown): void {
  if (typeof value !== 'string') throw configError(`${name} must be a text, not of type ${typeof value}`);
}

function configError(text: string): IotmpError {
  return new IotmpError('IOTMP_ERR_CONFIG', text);
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
