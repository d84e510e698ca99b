import { BoundedMap } from '../../util/bounded-map';
import type { Clock, Timer } from '../../util/clock';
import { deviceKey } from '../../util/device-key';
import { LINES } from '../../util/line-budget';
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
  /** Number of lines so far. */
  lines: number;
}

/** Shortest time between two lines of one device, address and reason, in ms. The second line comes soon, as it says how many. */
const PAUSE_MS = 60_000;
/** Below that of two looks, as a timer may be early. */
const FIRST_PAUSE_MS = 3000;
/** Time between two looks at the groups, in ms. */
const SWEEP_MS = 4000;
/** Maximum number of groups. The refusals of a group that gives way are counted together with others. */
const MAX_GROUPS = 1000;

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

  /**
   * @param write takes a line of the log
   * @param lines may be shared with others who write into the same log; its key is ''
   */
  constructor(clock: Clock, write: (line: string) => void, lines = new RateLimiter(LINES, clock)) {
    this.#clock = clock;
    this.#write = write;
    this.#lines = lines;
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
    const made = { login, waiting: 1, lineAt: 0, lines: 0 };
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
    for (const [key, group] of this.#groups) {
      if (this.#clock.now() - group.lineAt < pauseOf(group)) continue;
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
    group.lines++;
  }

  #tellOthers(): void {
    if (this.#others > 0) this.#write(`refused logins: ${this.#others} more are left out`);
    this.#others = 0;
  }
}

/** A group that is quiet after its first line is remembered as long as any other. */
function pauseOf({ lines, waiting }: AlikeRefusals): number {
  return lines === 1 && waiting > 0 ? FIRST_PAUSE_MS : PAUSE_MS;
}
