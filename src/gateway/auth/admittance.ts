import type { IncomingMessage } from 'node:http';
import { IotmpError } from '../../errors';
import type { RateLimiter } from '../../util/rate-limiter';
import { clientNetwork } from '../limits/client-network';
import { checkRate } from '../limits/gateway-limits';
import type { Authentication } from './authentication';
import type { Principal } from './principal';

/** What the admission of a request depends on. */
export interface AdmittancePort {
  readonly authentication: Authentication;
  readonly requests: RateLimiter;
}

/**
 * The sender of a request or a handshake. Requests with a wrong token are limited by address, all others by token.
 * @throws IotmpError (as a rejection) IOTMP_ERR_AUTH, IOTMP_ERR_RATE
 */
export async function admit(
  { authentication, requests }: AdmittancePort,
  request: IncomingMessage,
  query: URLSearchParams,
): Promise<Principal> {
  try {
    const principal = await authentication.authenticate(request, query);
    checkRate(requests, principal.token);
    return principal;
  } catch (error) {
    if (error instanceof IotmpError && error.code === 'IOTMP_ERR_AUTH') {
      checkRate(requests, addressKey(request));
    }
    throw error;
  }
}

/** The key that limits the requests of an address. */
export function addressKey(request: IncomingMessage): string {
  return `@${clientNetwork(request)}`;
}
