import { BoundedMap } from '../../util/bounded-map';
import type { Clock, Timer } from '../../util/clock';
import { deviceKey } from '../../util/device-key';
import { RateLimiter } from '../../util/rate-limiter';
import { hostOf } from '../../transport/host-and-port';
import { refusalLine } from './refusal-line';
import type { RefusedLogin } from './refused-login';

/** Refusals of one device, address and reason. */
interface AlikeRefusals {
  /** The latest of them. */
  login: RefusedLogin;
  /** Number of them that have no line yet. */
  waiting: number;
  /** Time of the last line, on the clock's scale. */
  lineAt: number;
}

/** Shortest time between two lines of one device, address and reason, in ms. */
const PAUSE_MS = 60_000;
/** Time between two looks at the groups, in ms. */
const SWEEP_MS = 10_000;
/** Maximum number of groups. The refusals of a group that gives way are counted together with others. */
const MAX_GROUPS = 1000;
/** Lines of all groups together: a peer that makes up names must not fill the log. */
const LINES = { perSecond: 1, burst: 10 };

/**
 * Chooses the refused logins that get a line in the log: of one device, address and reason at most one in a minute. The
 * next line says how many were left out, so that none is left out in silence.
 */
export class RefusalLog {
  readonly #clock: Clock;
  readonly #write: (line: string) => void;
  readonly #lines: RateLimiter;
  readonly #groups = new BoundedMap<string, AlikeRefusals>(MAX_GROUPS, {
    onForget: ({ waiting }) => {
      this.#others += waiting;
    },
  });
  /** Refusals that get no line of their own. */
  #others = 0;
  #timer: Timer | undefined;

  /** @param write takes a line of the log */
  constructor(clock: Clock, write: (line: string) => void) {
    this.#clock = clock;
    this.#write = write;
    this.#lines = new RateLimiter(LINES, clock);
  }

  note(login: RefusedLogin): void {
    const key = `${login.reason} ${hostOf(login.address)} ${deviceKey(login)}`;
    const group = this.#groups.get(key);
    this.#timer ??= this.#clock.after(SWEEP_MS, () => this.#sweep());
    if (group !== undefined) {
      group.login = login;
      group.waiting++;
      return;
    }
    const made = { login, waiting: 1, lineAt: 0 };
    this.#groups.set(key, made);
    this.#tell(made);
  }

  /** Writes what has no line yet, and ends the timer. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const group of this.#groups.values()) if (group.waiting > 0) this.#tell(group);
    this.#groups.clear();
    this.#tellOthers();
  }

  #sweep(): void {
    this.#timer = undefined;
    const due = this.#clock.now() - PAUSE_MS;
    for (const [key, group] of this.#groups) {
      if (group.lineAt > due) continue;
      if (group.waiting === 0) this.#groups.delete(key);
      else this.#tell(group);
    }
    this.#tellOthers();
    if (this.#groups.size > 0) this.#timer = this.#clock.after(SWEEP_MS, () => this.#sweep());
  }

  /** Where there are too many lines, the refusals of the group are counted with others. */
  #tell(group: AlikeRefusals): void {
    if (this.#lines.take('') === 0) this.#write(refusalLine(group.login, group.waiting - 1));
    else this.#others += group.waiting;
    group.waiting = 0;
    group.lineAt = this.#clock.now();
  }

  #tellOthers(): void {
    if (this.#others > 0) this.#write(`refused logins: ${this.#others} more are left out`);
    this.#others = 0;
  }
}
