import type { Clock, Timer } from '../../util/clock';

/** Times of a keep-alive. */
export interface KeepAliveOptions {
  /** Time between KEEP_ALIVEs, in ms (`protocol.md` section 4.4). */
  readonly intervalMs: number;
  /** Whether this end sends them; the server only echoes. */
  readonly sends: boolean;
}

/** The session of a keep-alive. */
export interface KeepAlivePort {
  /** Whether the peer is read at the moment; otherwise it cannot be heard. */
  readonly isRead: boolean;
  sendKeepAlive(): void;
  /** The peer was silent for too long. */
  handleSilence(): void;
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
  readonly #port: KeepAlivePort;
  #lastHeard: number;
  #silenceTimer: Timer | undefined;
  #sendTimer: Timer | undefined;

  /** Starts at once. */
  constructor(clock: Clock, options: KeepAliveOptions, port: KeepAlivePort) {
    this.#clock = clock;
    this.#options = options;
    this.#port = port;
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
      if (!this.#port.isRead) this.#lastHeard = this.#clock.now();
      const left = this.#lastHeard + this.#options.intervalMs * MARGIN - this.#clock.now();
      if (left > 0) this.#watch(left);
      else this.#port.handleSilence();
    });
  }

  #scheduleSend(): void {
    this.#sendTimer = this.#clock.after(this.#options.intervalMs, () => {
      this.#scheduleSend();
      this.#port.sendKeepAlive();
    });
  }
}
