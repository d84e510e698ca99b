import { RawDevice } from './raw-device';
import { tcpWire } from './raw-wire';

/** Number of guesses after which an address counts as one that is never blocked. Without a pause, 50 are answered. */
const MANY = 1000;

/** What came of a guess: an answer, or a connection that is cut without one. */
export type Guessed = 'answered' | 'cut';

/** Guesses a device over TCP, from an address of this machine. */
export async function guess(port: number, address: string, device: string): Promise<Guessed> {
  const wire = await tcpWire(port, '127.0.0.1', address);
  const peer = new RawDevice(wire, { device, credential: 'guess' });
  peer.connect();
  await peer.serverEnded;
  wire.cut();
  return peer.received.length > 0 ? 'answered' : 'cut';
}

/** Guesses until the server has blocked the address; gives the number of guesses that were answered. */
export async function guessUntilBlocked(port: number, address: string): Promise<number> {
  for (let answered = 0; answered < MANY; answered++) {
    if ((await guess(port, address, `made-up-${answered}`)) === 'cut') return answered;
  }
  throw new Error(`${address} is not blocked after ${MANY} guesses`);
}
