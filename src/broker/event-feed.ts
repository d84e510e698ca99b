import { errorText } from '../errors';
import type { Value } from '../types';

/**
 * Something that happened on a server, with the names and fields that programs for the protocol know:
 * `device_state_change`, `device_authentication_failed` and what the services add. Beside these fields each event
 * has its own.
 */
export interface ServerEvent {
  readonly [field: string]: Value;
  /** Its name. */
  readonly event: string;
  /** Whose it is: events of one user are nothing to another. */
  readonly user: string;
  /** The device that it is about, where there is one. */
  readonly device?: string;
  /** When, in ms since 1970. */
  readonly ts: number;
}

/** The events of a server, told to everyone who wants them. A listener that throws costs the others nothing. */
export class EventFeed {
  readonly #listeners = new Set<(event: ServerEvent) => void>();
  readonly #onWarning: (text: string) => void;

  /** @param onWarning hears of listeners that throw */
  constructor(onWarning: (text: string) => void) {
    this.#onWarning = onWarning;
  }

  /** Number of listeners. */
  get size(): number {
    return this.#listeners.size;
  }

  /** Tells of each event from now on, in the order in which they happen; returns the function that ends it. */
  listen(listener: (event: ServerEvent) => void): () => void {
    // Of one's own, so that the same function may listen twice.
    const own = (event: ServerEvent): void => listener(event);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** Tells an event to all who listen now. All get the same object, and must not change it. */
  publish(event: ServerEvent): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (error) {
        this.#onWarning(`a listener of ${event.event} failed: ${errorText(error)}`);
      }
    }
  }
}
