import type { NodeAPI } from 'node-red';
import { systemCode, type ErrorCode, type IotmpClient, type IotmpError } from '../../../src';
import { translate } from '../red/translate';
import type { LinkState } from './link';

/** Codes of logins that the server has refused. */
const REFUSALS: readonly ErrorCode[] = ['IOTMP_ERR_AUTH', 'IOTMP_ERR_CONFIG'];

/** Short texts for certificates that are not accepted, by the error codes of Node.js. */
const CERTIFICATES: readonly (readonly [code: RegExp, key: string])[] = [
  [/^CERT_HAS_EXPIRED$/, 'status.certificateExpired'],
  [/^(ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH)$/, 'status.certificateName'],
  [/SELF_SIGNED|ISSUER|LEAF_SIGNATURE|UNTRUSTED|INVALID_CA/, 'status.certificateUntrusted'],
  [/CERT|CRL/, 'status.certificate'],
];

/** Short texts for what keeps a client from connecting, by the error codes of the system. */
const OBSTACLES: readonly (readonly [code: RegExp, key: string])[] = [
  [/^ECONNREFUSED$/, 'status.nothingListens'],
  [/^(ENOTFOUND|EAI_AGAIN)$/, 'status.hostUnknown'],
  [/^(ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/, 'status.hostUnreachable'],
  [/^ERR_SSL_/, 'status.noTls'],
];

/** How a client stands, in words. What does not get better with time is an error, also while it is tried again. */
export function clientState(
  RED: NodeAPI,
  { state, lastError }: Pick<IotmpClient, 'state' | 'lastError'>,
): LinkState {
  switch (state) {
    case 'open':
      return { kind: 'up', text: translate(RED, 'status.connected') };
    case 'refused':
      return { kind: 'error', text: translate(RED, 'status.refused') };
    case 'idle':
    case 'closed':
      return { kind: 'off', text: translate(RED, 'status.disconnected') };
    default:
      return lastError === undefined
        ? { kind: 'waiting', text: translate(RED, 'status.connecting') }
        : connectingState(RED, lastError);
  }
}

function connectingState(RED: NodeAPI, error: IotmpError): LinkState {
  if (REFUSALS.includes(error.code)) return { kind: 'error', text: translate(RED, 'status.refused') };
  const code = lastCodeOf(error.cause);
  const certificate = CERTIFICATES.find(([pattern]) => pattern.test(code))?.[1];
  if (certificate !== undefined) return { kind: 'error', text: translate(RED, certificate) };
  const obstacle = OBSTACLES.find(([pattern]) => pattern.test(code))?.[1];
  if (obstacle !== undefined) return { kind: 'waiting', text: translate(RED, obstacle) };
  return { kind: 'waiting', text: translate(RED, 'status.connecting') };
}

/** Of several addresses of a name, the error of the last that was tried. */
function lastCodeOf(cause: unknown): string {
  return systemCode(cause instanceof AggregateError && cause.errors.length > 0 ? cause.errors.at(-1) : cause);
}
