import type { EventSource, ServerEvent } from './server-event';

/** Hands events from those who make them to those who want them. */
export class EventBus implements EventSource {
  readonly #listeners = new Set<(event: ServerEvent) => void>();
  readonly #onFault: (error: unknown) => void;

  /** @param onFault hears what a listener throws: the others are told of the event all the same */
  constructor(onFault: (error: unknown) => void) {
    this.#onFault = onFault;
  }

  subscribe(listener: (event: ServerEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  publish(event: ServerEvent): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (error) {
        this.#onFault(error);
      }
    }
  }
}
