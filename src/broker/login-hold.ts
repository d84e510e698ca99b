/** Holds logins while the rules of who may log in are being changed, so that no login is judged by the old ones. */
export class LoginHold {
  #holds = 0;
  #opening: PromiseWithResolvers<void> | undefined;

  /** Resolves when logins go on. Undefined while nothing holds them. */
  get opening(): Promise<void> | undefined {
    return this.#opening?.promise;
  }

  /** Holds logins until the returned function is called, and for as long as others hold them. */
  hold(): () => void {
    this.#holds++;
    this.#opening ??= Promise.withResolvers();
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      if (--this.#holds > 0) return;
      this.#opening?.resolve();
      this.#opening = undefined;
    };
  }
}
