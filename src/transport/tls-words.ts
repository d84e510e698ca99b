import { errorText, isError, systemCode } from '../errors';

/** Words for the errors of TLS handshakes, by their codes. Each is said of the other end of the connection. */
const WORDS: readonly (readonly [code: RegExp, words: string])[] = [
  [/^ERR_SSL_HTTP_REQUEST$/, 'speaks HTTP without TLS'],
  [/^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|RECORD_TOO_SMALL)$/, 'does not speak TLS'],
  [/^ERR_TLS_HANDSHAKE_TIMEOUT$/, 'did not finish the TLS handshake in time'],
  [
    /^ERR_SSL_(UNSUPPORTED_PROTOCOL|\w*ALERT_PROTOCOL_VERSION)$/,
    'has no version of TLS in common with this end',
  ],
  [/^ERR_SSL_(NO_SHARED_CIPHER|\w*ALERT_HANDSHAKE_FAILURE)$/, 'has no cipher in common with this end'],
  [/^ERR_SSL_\w*ALERT_UNKNOWN_CA$/, 'does not trust the authority of the certificate of this end'],
  [/^ERR_SSL_\w*ALERT_CERTIFICATE_EXPIRED$/, 'says that the certificate of this end has expired'],
  [/^ERR_SSL_\w*ALERT_(BAD_CERTIFICATE|CERTIFICATE_\w+)$/, 'does not accept the certificate of this end'],
  [/^ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE$/, 'has sent no certificate'],
  [/^ERR_SSL_\w*ALERT_CERTIFICATE_REQUIRED$/, 'asks for a certificate in vain'],
  [/^CERT_HAS_EXPIRED$/, 'has a certificate that has expired'],
  [/^CERT_NOT_YET_VALID$/, 'has a certificate that is not valid yet: compare the clocks'],
  [/^(CERT_REVOKED|CRL_\w+)$/, 'has a certificate that was revoked'],
  [/^(ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH)$/, 'has a certificate for another name'],
  [/^DEPTH_ZERO_SELF_SIGNED_CERT$/, 'has a self-signed certificate that is not trusted here'],
  [
    /^(SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|CERT_UNTRUSTED|CERT_CHAIN_TOO_LONG|INVALID_CA)$/,
    'has a certificate of an authority that is not trusted here',
  ],
  [/^INVALID_PURPOSE$/, 'has a certificate that is not made for this use'],
  [/^CERT_SIGNATURE_FAILURE$/, 'has a certificate whose signature is wrong'],
];

/** What a TLS handshake failed of, said of the other end, such as "does not speak TLS". `undefined` for other errors. */
export function tlsWords(error: unknown): string | undefined {
  return wordsOf(systemCode(error));
}

/** The same for a code alone, such as that of a certificate that was looked at and found wrong. */
export function wordsOf(code: string): string | undefined {
  return WORDS.find(([pattern]) => pattern.test(code))?.[1];
}

/** What a handshake failed of, without the places in the source of OpenSSL. */
export function handshakeText(error: unknown): string {
  const words = tlsWords(error);
  if (words !== undefined) return words;
  const reason: unknown = isError(error) && 'reason' in error ? error.reason : undefined;
  return `failed in the TLS handshake: ${typeof reason === 'string' ? reason : errorText(error)}`;
}
