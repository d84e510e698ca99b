import type { TlsOptions } from 'node:tls';
import { IotmpError } from '../errors';
import { sessionOptions, type SessionOptions } from '../session/base/session-options';
import { systemClock, type Clock } from '../util/clock';
import type { Authenticator, RegisteredDevice } from './authenticator';

/** What an {@link IotmpServer} can be told. Everything has a default. */
export interface ServerOptions {
  /** Address to listen on; empty = every interface. */
  readonly host?: string;
  /** TCP port; 0 takes any free one, `undefined` is off. */
  readonly tcpPort?: number | undefined;
  /** TLS port; 0 takes any free one, `undefined` is off. */
  readonly tlsPort?: number | undefined;
  /** Key and certificate of the TLS port. */
  readonly tls?: TlsOptions | undefined;
  /** Who may connect. Without any, nobody gets in. */
  readonly devices?: readonly RegisteredDevice[];
  /** Lets in every device that is not registered, too. */
  readonly anonymous?: boolean;
  /** Asked in place of the table of devices. */
  readonly authenticator?: Authenticator | undefined;
  /** Keep-alive interval that devices are expected to hold, in s, 1..1800. */
  readonly keepAliveS?: number;
  /** Largest message body that is accepted, in bytes, 64..2^28. */
  readonly maxMessageSize?: number;
  /** Connections at once, logged in or not. */
  readonly maxConnections?: number;
  /** Time for a device's answer, in ms. */
  readonly requestTimeoutMs?: number;
  /** Time that a device has to log in, in ms. */
  readonly connectTimeoutMs?: number;
  readonly clock?: Clock;
}

/** Options with every default filled in. */
export interface ResolvedServerOptions extends Required<ServerOptions> {
  /** What of it goes for each connection. */
  readonly session: SessionOptions;
}

const DEFAULTS: Required<ServerOptions> = {
  host: '',
  tcpPort: undefined,
  tlsPort: undefined,
  tls: undefined,
  devices: [],
  anonymous: false,
  authenticator: undefined,
  keepAliveS: 60,
  maxMessageSize: 262_144,
  maxConnections: 10_000,
  requestTimeoutMs: 10_000,
  connectTimeoutMs: 10_000,
  clock: systemClock,
};

/**
 * Options with their defaults, checked and frozen.
 * @throws IotmpError IOTMP_ERR_CONFIG naming the option and its range
 */
export function serverOptions(options: ServerOptions): ResolvedServerOptions {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const merged: Required<ServerOptions> = { ...DEFAULTS, ...Object.fromEntries(given) };
  checkRange('tcpPort', merged.tcpPort, 0, 65_535);
  checkRange('tlsPort', merged.tlsPort, 0, 65_535);
  checkRange('keepAliveS', merged.keepAliveS, 1, 1800);
  checkRange('maxMessageSize', merged.maxMessageSize, 64, 2 ** 28);
  checkRange('maxConnections', merged.maxConnections, 1, 1_000_000);
  checkRange('requestTimeoutMs', merged.requestTimeoutMs, 1, 2 ** 31 - 1);
  checkRange('connectTimeoutMs', merged.connectTimeoutMs, 1, 2 ** 31 - 1);
  const { maxMessageSize: maxBodySize, requestTimeoutMs, clock } = merged;
  const session = sessionOptions({ maxBodySize, requestTimeoutMs, clock });
  return Object.freeze({ ...merged, session });
}

function checkRange(name: string, value: number | undefined, min: number, max: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= min && value <= max)) return;
  throw new IotmpError('IOTMP_ERR_CONFIG', `${name} must be a whole number from ${min} to ${max}`);
}
