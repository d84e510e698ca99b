import type { IotmpError } from '../errors';

/** What those wait for who need an open client: one promise for all of them, until the next answer. */
export class Readiness {
  #next: PromiseWithResolvers<undefined> | undefined;

  /** Settles with the next {@link settle}. */
  wait(): Promise<void> {
    this.#next ??= Promise.withResolvers<undefined>();
    return this.#next.promise;
  }

  /** Tells all who wait: that the client is open, or why it will not be. */
  settle(error?: IotmpError): void {
    const next = this.#next;
    this.#next = undefined;
    if (error === undefined) next?.resolve(undefined);
    else next?.reject(error);
  }
}
