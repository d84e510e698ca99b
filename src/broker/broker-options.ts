import type { TlsOptions } from 'node:tls';
import { DEFAULT_KEEP_ALIVE_S, MAX_KEEP_ALIVE_S } from '../codec/constants';
import { defaultSessionOptions, sessionOptions, type SessionOptions } from '../session/base/session-options';
import { MAX_DELAY_MS, systemClock, type Clock } from '../util/clock';
import { IotmpError } from '../errors';
import { TrustedProxies } from '../transport/trusted-proxies';
import type { Authenticator } from './authenticator';
import { hashedDevice, type HashedDevice, type RegisteredDevice } from './registered-device';
import {
  checkWhole,
  defaultServerLimits,
  serverLimits,
  type ServerLimits,
  type WholeRange,
} from './server-limits';

/** Whether the clients of the TLS port show a certificate, and what it is for. */
export const clientCertificates = ['off', 'required', 'identity'] as const;

export type ClientCertificate = (typeof clientCertificates)[number];

/** Options of an {@link IotmpServer}. Each has a default, see {@link defaultServerOptions}. */
export interface ServerOptions {
  /** Address to listen on. Empty: every interface. */
  readonly host?: string;
  /** TCP port; 0 takes any free one, `undefined` is off. */
  readonly tcpPort?: number | undefined;
  /** TLS port; 0 takes any free one, `undefined` is off. */
  readonly tlsPort?: number | undefined;
  /** Key and certificate of the TLS port. */
  readonly tls?: TlsOptions | undefined;
  /**
   * What the TLS port asks of its clients. With `required` and `identity`, a client has to show a certificate of an
   * authority in `tls.ca`. With `identity`, the certificate says which device it is, and the credential of its CONNECT is
   * not looked at. TCP and WebSockets ask for no certificate: a device needs its credential there.
   * @default 'off'
   */
  readonly clientCertificate?: ClientCertificate;
  /** The devices that may connect. The server keeps hashes of their credentials only. */
  readonly devices?: readonly (RegisteredDevice | HashedDevice)[];
  /**
   * Lets in devices that are not registered, too.
   * @default false
   */
  readonly anonymous?: boolean;
  /** Decides which devices may connect, in place of `devices`. */
  readonly authenticator?: Authenticator | undefined;
  /**
   * Keep-alive interval of devices that name none, in s, 1..1800.
   * @default 60
   */
  readonly keepAliveS?: number;
  /**
   * Largest message body that is accepted, in bytes, 64..2^28. A device that sends a larger one is disconnected.
   * @default 262144
   */
  readonly maxMessageSize?: number;
  /**
   * Maximum number of connections, logged in or not, 1..1000000.
   * @default 10000
   */
  readonly maxConnections?: number;
  /**
   * Time from a request to the answer of the device, in ms.
   * @default 10000
   */
  readonly requestTimeoutMs?: number;
  /**
   * Time that a device has to log in, in ms. After that its connection is closed.
   * @default 10000
   */
  readonly connectTimeoutMs?: number;
  /**
   * Addresses and networks (such as `10.0.0.0/8`) of proxies that may say whom they speak for: by `X-Forwarded-For` with
   * requests and WebSockets, and by PROXY headers, see {@link proxyProtocol}. Nobody by default.
   */
  readonly trustedProxies?: readonly string[];
  /**
   * Whether each connection of a trusted proxy to the TCP or TLS port has to begin with a PROXY header, version 1 or 2.
   * @default true
   */
  readonly proxyProtocol?: boolean;
  /**
   * Origins whose pages may open WebSockets of devices in a browser; `*` is any. Those of the HTTP server itself may, too, and by default only these.
   */
  readonly origins?: readonly string[];
  /** Bounds against floods; see {@link defaultServerLimits}. */
  readonly limits?: Partial<ServerLimits>;
  readonly clock?: Clock;
}

/** Options with every default filled in. */
export interface ResolvedServerOptions extends Required<ServerOptions> {
  readonly limits: ServerLimits;
  readonly devices: readonly HashedDevice[];
  /** The proxies of {@link ServerOptions.trustedProxies}. */
  readonly proxies: TrustedProxies;
  /** The options of the session of each connection. */
  readonly session: SessionOptions;
}

/** Defaults of {@link ServerOptions}. */
export const defaultServerOptions: Readonly<Required<ServerOptions>> = Object.freeze({
  host: '',
  tcpPort: undefined,
  tlsPort: undefined,
  tls: undefined,
  clientCertificate: 'off',
  devices: [],
  anonymous: false,
  authenticator: undefined,
  keepAliveS: DEFAULT_KEEP_ALIVE_S,
  maxMessageSize: defaultSessionOptions.maxBodySize,
  maxConnections: 10_000,
  requestTimeoutMs: defaultSessionOptions.requestTimeoutMs,
  connectTimeoutMs: 10_000,
  trustedProxies: [],
  proxyProtocol: true,
  origins: [],
  limits: defaultServerLimits,
  clock: systemClock,
});

/** Numbers of {@link ServerOptions}, in the order in which they are checked. */
const NUMBERS = [
  'tcpPort',
  'tlsPort',
  'keepAliveS',
  'maxMessageSize',
  'maxConnections',
  'requestTimeoutMs',
  'connectTimeoutMs',
] as const;

/** Smallest and largest value of each number of {@link ServerOptions}. */
export const serverRanges: Readonly<Record<(typeof NUMBERS)[number], WholeRange>> = Object.freeze({
  tcpPort: { min: 0, max: 65_535 },
  tlsPort: { min: 0, max: 65_535 },
  keepAliveS: { min: 1, max: MAX_KEEP_ALIVE_S },
  maxMessageSize: { min: 64, max: 2 ** 28 },
  maxConnections: { min: 1, max: 1_000_000 },
  requestTimeoutMs: { min: 1, max: MAX_DELAY_MS },
  connectTimeoutMs: { min: 1, max: MAX_DELAY_MS },
});

/**
 * Options with their defaults, checked and frozen.
 * @throws IotmpError IOTMP_ERR_CONFIG naming the option and its range
 */
export function serverOptions(options: ServerOptions): ResolvedServerOptions {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const merged: Required<ServerOptions> = { ...defaultServerOptions, ...Object.fromEntries(given) };
  for (const name of NUMBERS) {
    if (merged[name] !== undefined) checkWhole(name, merged[name], serverRanges[name]);
  }
  checkCertificates(merged);
  const { maxMessageSize: maxBodySize, requestTimeoutMs, clock } = merged;
  const session = sessionOptions({ maxBodySize, requestTimeoutMs, clock });
  const proxies = new TrustedProxies(merged.trustedProxies);
  const devices = merged.devices.map(hashedDevice);
  return Object.freeze({ ...merged, devices, limits: serverLimits(merged.limits), proxies, session });
}

function checkCertificates({ clientCertificate, authenticator }: Required<ServerOptions>): void {
  if (!clientCertificates.includes(clientCertificate)) {
    const words = clientCertificates.join(', ');
    throw new IotmpError('IOTMP_ERR_CONFIG', `clientCertificate must be one of ${words}`);
  }
  if (clientCertificate !== 'identity' || authenticator === undefined) return;
  // It would have to judge a credential that nobody looks at.
  throw new IotmpError(
    'IOTMP_ERR_CONFIG',
    'an authenticator cannot be asked where a certificate is the identity',
  );
}
