import type { X509Certificate } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { ConnectCode } from '../codec/constants';
import { IotmpError } from '../errors';
import { ANONYMOUS_USER } from '../rights/device-request';
import type { Transport } from '../transport/transport';
import type { DeviceId } from '../types';
import type { ResolvedServerOptions } from './broker-options';
import { isName } from './device-name';

const SCHEME = /^iotmp:/i;
/** An entry of a subject alternative name. Node.js puts a value in JSON quotes that could be taken for several entries. */
const ENTRY = /([^:,"]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/gy;

/**
 * The device that a certificate is made for: the one URI `iotmp:<user>/<device>` of its subject alternative name, with
 * percent-encoding; without such a URI its one common name `<user>/<device>`.
 * @throws IotmpError IOTMP_ERR_AUTH when it names no device, or not exactly one
 */
export function certificateIdentity(certificate: X509Certificate): DeviceId {
  const uris = urisOf(certificate.subjectAltName ?? '').filter((uri) => SCHEME.test(uri));
  if (uris.length > 1) throw refusal('the client certificate names several devices');
  const [uri] = uris;
  const names = uri === undefined ? commonName(certificate) : decoded(uri.replace(SCHEME, ''));
  const [user = '', device = '', ...more] = names;
  if (more.length > 0 || !isName(user) || !isName(device)) {
    throw refusal('the client certificate names no device as <user>/<device>');
  }
  if (user === ANONYMOUS_USER) throw refusal(`the client certificate names the user ${ANONYMOUS_USER}`);
  return { user, device };
}

/**
 * The certificate that a client has shown where it has to, or happened to.
 * @throws IotmpError IOTMP_ERR_AUTH for a client of the TLS port that has to show one and has not
 */
export function shownCertificate(
  transport: Transport,
  { clientCertificate }: ResolvedServerOptions,
): X509Certificate | undefined {
  const certificate = transport.peerCertificate?.();
  if (certificate !== undefined || transport.kind !== 'tls' || clientCertificate === 'off')
    return certificate;
  throw refusal('a client certificate is needed');
}

/** Whether those who came in over TLS would be let in by other options as they were by these. */
export function isSameCertificateRule(before: ResolvedServerOptions, next: ResolvedServerOptions): boolean {
  if (before.clientCertificate !== next.clientCertificate) return false;
  return next.clientCertificate === 'off' || isDeepStrictEqual(before.tls?.ca, next.tls?.ca);
}

function urisOf(subjectAltName: string): string[] {
  const uris: string[] = [];
  let end = 0;
  for (const { 0: entry, 1: type, 2: value = '', index } of subjectAltName.matchAll(ENTRY)) {
    end = index + entry.length;
    if (type === 'URI') uris.push(value.startsWith('"') ? String(JSON.parse(value)) : value);
  }
  if (end === subjectAltName.length) return uris;
  throw refusal('the subject alternative name of the client certificate cannot be read');
}

/** User and device of a URI: a slash between them, and slashes within a name encoded. */
function decoded(path: string): string[] {
  if (/[?#]/.test(path)) return [];
  try {
    return path.split('/').map((part) => decodeURIComponent(part));
  } catch {
    return [];
  }
}

function commonName(certificate: X509Certificate): string[] {
  const { CN }: { readonly CN?: unknown } = certificate.toLegacyObject().subject;
  return typeof CN === 'string' ? CN.split('/') : [];
}

function refusal(text: string): IotmpError {
  return new IotmpError('IOTMP_ERR_AUTH', text, { statusCode: ConnectCode.BAD_CREDENTIALS });
}
