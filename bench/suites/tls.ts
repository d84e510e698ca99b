import { rawTelemetry } from './telemetry-load';
import { transportTelemetry } from './transport-telemetry';

/** Samples over TLS, against a bare server that counts frames. */
export const tlsSuite = transportTelemetry({
  name: 'tls',
  title: 'Telemetry over TLS',
  bare: rawTelemetry('bare tls', 'raw-telemetry', 'tls'),
  notes: [
    'TLS 1.3, with what Node.js and OpenSSL agree on by themselves; the certificate is on P-256 and made for the run.',
    'Many a write: 400 messages in one TLS record.',
  ],
  obstacle: ({ hasTls }) =>
    hasTls ? undefined : 'Skipped: the load generator needs the headers of OpenSSL for TLS; there are none.',
});
