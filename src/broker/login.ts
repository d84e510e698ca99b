import type { X509Certificate } from 'node:crypto';
import type { DeviceId } from '../types';

/** A device that asks to be let in: the name that it claims, and what it has to show for it. */
export interface Login extends DeviceId {
  readonly credential: string;
  /** Address and port of the device; behind a trusted proxy those that the proxy names. */
  readonly address: string;
  /** The certificate of its TLS connection, where that has to show a valid one. */
  readonly certificate: X509Certificate | undefined;
}
