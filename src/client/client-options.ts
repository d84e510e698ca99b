import { BodyLimit, DEFAULT_KEEP_ALIVE_S, MAX_ENCODED_SIZE, MAX_KEEP_ALIVE_S } from '../codec/constants';
import { IotmpError } from '../errors';
import { defaultSessionOptions } from '../session/base/session-options';
import {
  connectTransport,
  DEFAULT_CONNECT_TIMEOUT_MS,
  type ConnectOptions,
  type ConnectTarget,
} from '../transport/connect';
import { DEFAULT_PATH } from '../transport/web-socket-settings';
import { MAX_DELAY_MS, systemClock, type Clock } from '../util/clock';

/** Options that the client passes on to TLS. The server's certificate is checked unless `rejectUnauthorized` is false. */
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

/** The device that the client logs in as (`protocol.md` section 4.1). */
export interface ClientIdentity {
  readonly user: string;
  readonly device: string;
  /** The password of the device; never shown in a log or an error. */
  readonly credential: string;
}

/** Delays between attempts to connect: doubled each time, and shortened at random by up to a half. */
export interface ReconnectDelays {
  /**
   * The first delay at its longest, in ms.
   * @default 1000
   */
  readonly minMs: number;
  /**
   * The longest delay, in ms.
   * @default 60000
   */
  readonly maxMs: number;
}

/** Options of an `IotmpClient`. The defaults are {@link defaultClientOptions}. */
export interface ClientOptions extends ClientIdentity {
  /** Host name or IP address of the server. */
  readonly host: string;
  /** 1..65535. Default 25204 for tcp, 25206 for tls, 80 for ws, 443 for wss. */
  readonly port?: number | undefined;
  /** @default 'tcp' */
  readonly transport?: ConnectTarget['transport'] | undefined;
  /**
   * Path of a WebSocket.
   * @default '/iotmp'
   */
  readonly path?: string | undefined;
  /** For `tls`, `wss` and redirects to TLS. A function is called for each connection, so that its files may change. */
  readonly tls?: ClientTlsOptions | (() => ClientTlsOptions) | undefined;
  /**
   * Time between KEEP_ALIVEs, in s, 1..1800 (`protocol.md` section 4.4).
   * @default 60
   */
  readonly keepAliveS?: number | undefined;
  /**
   * Time to connect, and then again for the answer to CONNECT, in ms.
   * @default 10000
   */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * Time for the answer to a request, in ms.
   * @default 10000
   */
  readonly requestTimeoutMs?: number | undefined;
  /**
   * Largest body that this end accepts, in bytes, 1024 or more. Where given, the server is told by the parameter `mm`
   * of CONNECT, an extension that other servers ignore.
   * @default 262144
   */
  readonly maxMessageSize?: number | undefined;
  /**
   * Whether this end offers the compact form of samples (`protocol.md` section 6), by the parameter `cs` of CONNECT, an
   * extension that other servers ignore. With a server that knows it, all streams of both ends use it.
   * @default false
   */
  readonly compactStreams?: boolean | undefined;
  readonly reconnect?: Partial<ReconnectDelays> | undefined;
  /**
   * Time until another attempt after the server has refused this device, in ms: it may be registered by then. Without
   * this time a refusal is final, until `connect()`.
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
  readonly tls: ClientTlsOptions | (() => ClientTlsOptions) | undefined;
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

/** Defaults of {@link ClientOptions}; that of `port` depends on the transport. */
export const defaultClientOptions = Object.freeze({
  port: DEFAULT_PORT,
  transport: 'tcp',
  path: DEFAULT_PATH,
  keepAliveS: DEFAULT_KEEP_ALIVE_S,
  connectTimeoutMs: DEFAULT_CONNECT_TIMEOUT_MS,
  requestTimeoutMs: defaultSessionOptions.requestTimeoutMs,
  maxMessageSize: defaultSessionOptions.maxBodySize,
  compactStreams: false,
  reconnect: Object.freeze({ minMs: 1_000, maxMs: 60_000 }),
});

/** Smallest and largest value of numbers of {@link ClientOptions}. */
export const clientRanges = Object.freeze({
  port: { min: 1, max: 65_535 },
  keepAliveS: { min: 1, max: MAX_KEEP_ALIVE_S },
  maxMessageSize: { min: BodyLimit.SMALLEST, max: MAX_ENCODED_SIZE },
});

/**
 * Checks options and fills in the defaults.
 * @throws IotmpError IOTMP_ERR_CONFIG naming the option and what it must be
 */
export function clientSettings(options: ClientOptions): ClientSettings {
  const defaults = defaultClientOptions;
  const { maxMessageSize, retryRefusedMs } = options;
  if (maxMessageSize !== undefined) {
    checkWhole('maxMessageSize', maxMessageSize, clientRanges.maxMessageSize);
  }
  return Object.freeze({
    target: targetOf(options),
    tls: options.tls,
    identity: clientIdentity(options),
    keepAliveS: checkWhole('keepAliveS', options.keepAliveS ?? defaults.keepAliveS, clientRanges.keepAliveS),
    connectTimeoutMs: checkTime('connectTimeoutMs', options.connectTimeoutMs ?? defaults.connectTimeoutMs),
    requestTimeoutMs: checkTime('requestTimeoutMs', options.requestTimeoutMs ?? defaults.requestTimeoutMs),
    maxMessageSize,
    compactStreams: checkSwitch('compactStreams', options.compactStreams ?? defaults.compactStreams),
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
  const { host, path = defaultClientOptions.path, transport = defaultClientOptions.transport } = options;
  checkText('host', host);
  if (host.trim() === '') throw configError('host must not be empty');
  if (!Object.hasOwn(DEFAULT_PORT, transport)) {
    throw configError(`transport must be tcp, tls, ws or wss, not ${shown(transport)}`);
  }
  const port = checkWhole('port', options.port ?? DEFAULT_PORT[transport], clientRanges.port);
  if (!(typeof path === 'string' && path.startsWith('/'))) {
    throw configError(`path must begin with "/", not be ${shown(path)}`);
  }
  return Object.freeze({ transport, host: host.trim(), port, path });
}

function reconnectDelays(given: Partial<ReconnectDelays> = {}): ReconnectDelays {
  const defaults = defaultClientOptions.reconnect;
  const minMs = checkTime('reconnect.minMs', given.minMs ?? defaults.minMs);
  const maxMs = checkTime('reconnect.maxMs', given.maxMs ?? defaults.maxMs);
  if (minMs > maxMs) {
    throw configError(`reconnect.minMs (${minMs}) must not be more than reconnect.maxMs (${maxMs})`);
  }
  return Object.freeze({ minMs, maxMs });
}

function checkTime(name: string, value: number): number {
  return checkWhole(name, value, { min: 1, max: MAX_DELAY_MS });
}

function checkWhole(name: string, value: number, { min, max }: { min: number; max: number }): number {
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
