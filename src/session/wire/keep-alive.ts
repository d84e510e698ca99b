import type { Clock, Timer } from '../../util/clock';

/** Times of a keep-alive. */
export interface KeepAliveOptions {
  /** Time between KEEP_ALIVEs, in ms (`protocol.md` section 4.4). */
  readonly intervalMs: number;
  /** Whether this end sends them; the server only echoes. */
  readonly sends: boolean;
}

/** A peer may be silent for the interval and half of it again. */
const MARGIN = 1.5;

/**
 * Watches that a peer lives (`protocol.md` section 4.4). Any message counts as life. The end that sends also
 * counts on the echo, so that it notices a mute server.
 */
export class KeepAlive {
  readonly #clock: Clock;
  readonly #options: KeepAliveOptions;
  readonly #send: () => void;
  readonly #onSilent: () => void;
  readonly #isDeaf: () => boolean;
  #lastHeard: number;
  #silenceTimer: Timer | undefined;
  #sendTimer: Timer | undefined;

  /**
   * Starts at once.
   * @param isDeaf whether the peer is not read at the moment, so that it cannot be heard
   */
  constructor(
    clock: Clock,
    options: KeepAliveOptions,
    send: () => void,
    onSilent: () => void,
    isDeaf: () => boolean,
  ) {
    this.#clock = clock;
    this.#options = options;
    this.#send = send;
    this.#onSilent = onSilent;
    this.#isDeaf = isDeaf;
    this.#lastHeard = clock.now();
    this.#watch(options.intervalMs * MARGIN);
    if (options.sends) this.#scheduleSend();
  }

  /** A message arrived. */
  heard(now: number): void {
    this.#lastHeard = now;
  }

  /** Ends the timers. Idempotent. */
  stop(): void {
    this.#silenceTimer?.cancel();
    this.#sendTimer?.cancel();
    this.#silenceTimer = undefined;
    this.#sendTimer = undefined;
  }

  /** One timer for each silence, not for each message: when it fires early it waits for what is left. */
  #watch(ms: number): void {
    this.#silenceTimer = this.#clock.after(ms, () => {
      if (this.#isDeaf()) this.#lastHeard = this.#clock.now();
      const left = this.#lastHeard + this.#options.intervalMs * MARGIN - this.#clock.now();
      if (left > 0) this.#watch(left);
      else this.#onSilent();
    });
  }

  #scheduleSend(): void {
    this.#sendTimer = this.#clock.after(this.#options.intervalMs, () => {
      this.#scheduleSend();
      this.#send();
    });
  }
}
