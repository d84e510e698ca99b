import type { IotmpError } from '../../errors';

/** How a shared device stream is, as its subscribers are told. */
export type HubState =
  /** The device is not connected. */
  | { readonly kind: 'offline' }
  /** The stream is being opened, or it is being found out whether it may be. */
  | { readonly kind: 'starting' }
  /** The stream is open. */
  | { readonly kind: 'streaming' }
  /** The device is there, but the resource is not known to be an output: nobody opens it unasked. */
  | { readonly kind: 'held' }
  /** The stream is open, but no sample came for three intervals. */
  | { readonly kind: 'stalled' }
  /** The stream could not be opened, or the device ended it. */
  | { readonly kind: 'failed'; readonly error: IotmpError };

/** The states that carry nothing are shared objects, so that telling them allocates nothing. */
export const HubStates = {
  offline: Object.freeze({ kind: 'offline' }),
  starting: Object.freeze({ kind: 'starting' }),
  streaming: Object.freeze({ kind: 'streaming' }),
  held: Object.freeze({ kind: 'held' }),
  stalled: Object.freeze({ kind: 'stalled' }),
} as const;
