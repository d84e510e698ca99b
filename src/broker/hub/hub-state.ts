import type { IotmpError } from '../../errors';

/** The state of a shared device stream, as its subscribers see it. */
export type HubState =
  /** The device is not connected. */
  | { readonly kind: 'offline' }
  /** The stream is being opened, or the hub is asking whether it may be opened. */
  | { readonly kind: 'starting' }
  /** The stream is open. */
  | { readonly kind: 'streaming' }
  /** The device is connected, but the resource is not known to be an output. It is opened only on request. */
  | { readonly kind: 'held' }
  /** The stream is open, but no sample came for three intervals. */
  | { readonly kind: 'stalled' }
  /** The stream could not be opened, or the device ended it. */
  | { readonly kind: 'failed'; readonly error: IotmpError };

/** The states without data are shared objects, so that a notification allocates nothing. */
export const HubStates = {
  offline: Object.freeze({ kind: 'offline' }),
  starting: Object.freeze({ kind: 'starting' }),
  streaming: Object.freeze({ kind: 'streaming' }),
  held: Object.freeze({ kind: 'held' }),
  stalled: Object.freeze({ kind: 'stalled' }),
} as const;
