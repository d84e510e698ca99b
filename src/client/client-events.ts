import type { IotmpError } from '../errors';

/**
 * What a client is at:
 * - `idle`: not started yet;
 * - `connecting`: an attempt is being made;
 * - `open`: the server has let it in;
 * - `waiting`: for the next attempt;
 * - `refused`: the server wants none of it; no attempt is made until the identity changes or the user asks for one;
 * - `closed`: for good.
 */
export type ClientState = 'idle' | 'connecting' | 'open' | 'waiting' | 'refused' | 'closed';

/** Events of a client, with the arguments of their listeners. */
export interface ClientEvents {
  /** The state has changed. `error` is why, for `waiting` and `refused`. */
  state: [state: ClientState, error?: IotmpError | undefined];
  /** Something that deserves a line in a log, but no more. */
  warning: [text: string];
}
