import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import type { TlsOptions } from 'node:tls';

/** Days before its end at which a certificate that lives long is due for renewal. */
const SOON_DAYS = 14;
/** Part of the life of a certificate, before its end, in which it is due for renewal: the shorter time counts. */
const SOON_PART = 1 / 3;
const DAY_MS = 86_400_000;

const PEM = /-----BEGIN CERTIFICATE-----[^]+?-----END CERTIFICATE-----/g;

/** The time in which a certificate is valid, in ms since 1970. */
export interface CertificateLife {
  readonly from: number;
  readonly to: number;
}

/** The life of the certificate that a TLS server shows. `undefined` where it is not PEM, or cannot be read. */
export function certificateLife({ cert }: TlsOptions): CertificateLife | undefined {
  try {
    const [own] = certificatesOf(cert);
    return own === undefined ? undefined : { from: Date.parse(own.validFrom), to: Date.parse(own.validTo) };
  } catch {
    return undefined; // A certificate that cannot be read is a fault of the listener.
  }
}

/**
 * What has to be said of the life of a certificate now: that it is over, ends soon or has not begun. `undefined` when all
 * is well. The same text comes for as long as nothing changes.
 */
export function lifeWarning({ from, to }: CertificateLife, now: number): string | undefined {
  if (now >= to)
    return `the certificate of the TLS port expired on ${dayOf(to)}: renew it, as clients refuse it`;
  if (now < from)
    return `the certificate of the TLS port is not valid before ${dayOf(from)}: compare the clock`;
  const soonMs = Math.min(SOON_DAYS * DAY_MS, (to - from) * SOON_PART);
  return to - now > soonMs ? undefined : `the certificate of the TLS port expires on ${dayOf(to)}: renew it`;
}

/** What is wrong with key and certificate, in words. `undefined` when nothing is found. */
export function certificateFault({ cert, key, passphrase, pfx }: TlsOptions): string | undefined {
  if (pfx !== undefined && cert === undefined)
    return 'the PFX file cannot be read: it is none, or the passphrase is wrong';
  let certificates: X509Certificate[];
  try {
    certificates = certificatesOf(cert);
  } catch {
    return 'the certificate cannot be read';
  }
  const [own] = certificates;
  if (own === undefined) return 'the certificate is no certificate in PEM form';
  if (!isPem(key)) return undefined;
  const secret = privateKeyOf(key, passphrase);
  if (typeof secret === 'string') return secret;
  if (own.checkPrivateKey(secret)) return undefined;
  return certificates.some((other) => other.checkPrivateKey(secret))
    ? 'the certificates are in the wrong order: the own certificate of the server has to come first, then its chain'
    : 'certificate and private key do not belong together';
}

/** The certificates of a PEM text, in their order. */
export function certificatesOf(cert: TlsOptions['cert']): X509Certificate[] {
  if (!isPem(cert)) return [];
  return [...String(cert).matchAll(PEM)].map(([pem]) => new X509Certificate(pem));
}

function privateKeyOf(key: string | Buffer, passphrase: string | undefined): KeyObject | string {
  try {
    return createPrivateKey({ key, ...(passphrase !== undefined && { passphrase }) });
  } catch {
    const isEncrypted = String(key).includes('ENCRYPTED');
    if (!isEncrypted) return 'the private key is no key in PEM form';
    return passphrase ? 'the passphrase of the private key is wrong' : 'the private key needs a passphrase';
  }
}

function isPem(value: unknown): value is string | Buffer {
  return typeof value === 'string' || Buffer.isBuffer(value);
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
