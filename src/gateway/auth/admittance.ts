import type { IncomingMessage } from 'node:http';
import { IotmpError } from '../../errors';
import type { GatewayContext } from '../gateway-context';
import { unauthorized } from '../http/request-error';
import { clientNetwork } from '../limits/client-network';
import type { RequestTurns, WaitingRequest } from '../limits/request-turns';
import type { Authentication } from './authentication';
import type { Principal } from './principal';

/** What the admission of a request depends on. */
export interface AdmittancePort {
  readonly context: GatewayContext;
  readonly authentication: Authentication;
  readonly requests: RequestTurns;
}

/**
 * The sender of a request or a handshake. Requests with a wrong token are limited by address; all others by token, and wait for
 * their turn.
 * @throws IotmpError (as a rejection) IOTMP_ERR_AUTH, IOTMP_ERR_RATE
 */
export async function admit(
  { authentication, context, requests }: AdmittancePort,
  request: IncomingMessage,
  query: URLSearchParams,
  waiting: WaitingRequest,
): Promise<Principal> {
  try {
    // An await also for what is known: a socket that is held while Node.js takes a read apart is read on all the same.
    const principal = await (authentication.known(request, query) ??
      authentication.authenticate(request, query));
    const turn = requests.take(principal.token, waiting);
    if (turn === undefined) return principal;
    await turn;
    // The rights may have been lost meanwhile.
    if (!principal.counts()) throw unauthorized('the token is wrong, expired or revoked');
    return principal;
  } catch (error) {
    if (error instanceof IotmpError && error.code === 'IOTMP_ERR_AUTH') {
      requests.takeNow(addressKey({ context, request }));
    }
    throw error;
  }
}

/** The key that limits the requests of an address. */
export function addressKey(received: { context: GatewayContext; request: IncomingMessage }): string {
  return `@${clientNetwork(received)}`;
}
