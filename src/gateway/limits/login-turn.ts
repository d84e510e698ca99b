import { holdReading } from '../http/held-reading';
import type { RawCall } from '../route';
import { clientNetwork } from './client-network';

/**
 * Waits for the turn of a login with a password. Each address has so many: strangers who try to guess behind the same proxy
 * cost the owner some seconds, but do not lock the owner out once they pause.
 * @throws RateError (as a rejection) when the next turn is too far away
 */
export async function takeLogin(call: Pick<RawCall, 'context' | 'request' | 'signal'>): Promise<void> {
  const { context, request, signal } = call;
  await context.loginTurns.take(clientNetwork(call), { signal, hold: () => holdReading(request.socket) });
}
