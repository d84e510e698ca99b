import type { Socket } from 'node:net';
import { TLSSocket, type TlsOptions } from 'node:tls';
import { certificatesOf } from './certificate';
import { wordsOf } from './tls-words';

/** What is wrong with the certificate that a client has shown, said of the client. `undefined` when it is valid. */
export function clientFault(socket: Socket, now: number): string | undefined {
  if (!(socket instanceof TLSSocket)) return 'does not speak TLS';
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return 'has sent no certificate, and has to';
  if (!socket.authorized) {
    const code = String(socket.authorizationError);
    return wordsOf(code) ?? `has a certificate that is not valid: ${code}`;
  }
  // A session that is resumed was checked when it began.
  return Date.parse(certificate.validTo) > now ? undefined : wordsOf('CERT_HAS_EXPIRED');
}

/** Why clients cannot be asked for certificates with these options. `undefined` when they can. */
export function authorityFault({ ca }: TlsOptions): string | undefined {
  const none = 'client certificates need the certificate of their authority (CA), and there is none';
  try {
    // Without one, Node.js takes certificates of all authorities that browsers trust.
    return certificatesIn(ca) > 0 ? undefined : none;
  } catch {
    return 'the certificate of the authority (CA) of client certificates cannot be read';
  }
}

/** The options of a TLS server that asks its clients for certificates. It has to look itself at what they show. */
export function askingForCertificate(tls: TlsOptions): TlsOptions {
  return { ...tls, requestCert: true, rejectUnauthorized: false };
}

function certificatesIn(ca: TlsOptions['ca']): number {
  const all = Array.isArray(ca) ? ca : [ca];
  return all.reduce((sum: number, one) => sum + certificatesOf(one).length, 0);
}
