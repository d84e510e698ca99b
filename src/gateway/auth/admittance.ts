import type { IncomingMessage } from 'node:http';
import { IotmpError } from '../../errors';
import { clientNetwork } from '../limits/client-network';
import type { RateLimiter } from '../limits/rate-limiter';
import type { Authentication } from './authentication';
import type { Principal } from './principal';

/** What those who ask are let in by. */
export interface AdmittancePort {
  readonly authentication: Authentication;
  readonly requests: RateLimiter;
}

/**
 * Who sent a request or a handshake. Whoever guesses tokens is limited by his address, everybody else by his token.
 * @throws IotmpError (as a rejection) IOTMP_ERR_AUTH, IOTMP_ERR_RATE
 */
export async function admit(
  { authentication, requests }: AdmittancePort,
  request: IncomingMessage,
  query: URLSearchParams,
): Promise<Principal> {
  try {
    const principal = await authentication.authenticate(request, query);
    requests.check(principal.token);
    return principal;
  } catch (error) {
    if (error instanceof IotmpError && error.code === 'IOTMP_ERR_AUTH') requests.check(addressKey(request));
    throw error;
  }
}

/** What an address is limited by. */
export function addressKey(request: IncomingMessage): string {
  return `@${clientNetwork(request)}`;
}
