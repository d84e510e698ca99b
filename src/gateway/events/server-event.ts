import type { Value } from '../../types';

/** Something that happened on the server, as programs are told of it (`platform-api.md` section 3). */
export interface ServerEvent {
  /** Its name, such as `device_state_change`. */
  readonly event: string;
  /** Whose affair it is. */
  readonly user: string;
  /** When, in ms since 1970. */
  readonly ts: number;
  readonly [field: string]: Value | undefined;
}

/** Where events come from. */
export interface EventSource {
  /** Calls the listener with each event until the returned function is called. */
  subscribe(listener: (event: ServerEvent) => void): () => void;
}
