import { hostOf } from '../../transport/host-and-port';
import type { Transport } from '../../transport/transport';
import type { Clock } from '../../util/clock';
import { LineBudget } from '../../util/line-budget';
import type { AddressBlock } from '../brake/address-blocks';
import { blockLine } from '../brake/block-line';
import { refusedLogin } from './refusal';
import { RefusalLog } from './refusal-log';
import type { RefusedLogin } from './refused-login';
import { RefusedLogins } from './refused-logins';

/** Hears of what is recorded. */
export interface RefusalRecorderPort {
  /** A line for the log. */
  readonly onLine: (line: string) => void;
  readonly onRecorded: (login: RefusedLogin) => void;
}

/** Records the refused logins of a server, counts those that are not worth a record, and writes the lines of both. */
export class RefusalRecorder {
  readonly logins = new RefusedLogins();
  readonly #port: RefusalRecorderPort;
  readonly #log: RefusalLog;
  /** Apart from all other lines: one such line is all that a program needs which bans addresses. */
  readonly #blockLines: LineBudget;

  /** @param lines the budget of the log */
  constructor(clock: Clock, lines: LineBudget, port: RefusalRecorderPort) {
    this.#port = port;
    this.#log = new RefusalLog(clock, port.onLine, lines.all);
    this.#blockLines = new LineBudget(clock, port.onLine);
  }

  /** A login was refused. */
  refuse(login: RefusedLogin): void {
    this.#log.note(login);
    this.#record(login);
  }

  /** A login was refused, and so many are that this one is only counted. */
  turnAway(login: RefusedLogin): void {
    this.logins.count(login.reason);
    this.#log.note(login);
  }

  /** An address was blocked. */
  onBlocked(block: AddressBlock, origin: Pick<Transport, 'kind' | 'remoteAddress'>): void {
    const line = blockLine(block, hostOf(origin.remoteAddress));
    this.#record(refusedLogin(origin, 'blocked', line));
    if (this.#blockLines.allows()) this.#port.onLine(line);
  }

  /** A connection of a blocked address was closed unread. */
  onTurnedAway(): void {
    this.logins.count('blocked');
  }

  /** Writes the lines that are due, and ends the timer. */
  close(): void {
    this.#log.close();
    this.#blockLines.close();
  }

  #record(login: RefusedLogin): void {
    this.logins.add(login);
    this.#port.onRecorded(login);
  }
}
