import type { IotmpError } from '../errors';
import type { Clock } from '../util/clock';
import { LineBudget } from '../util/line-budget';
import { ownLine } from './refusals/own-line';

/** Takes a warning for the log, and the error that it tells of. */
type WarningWriter = (line: string, ...cause: IotmpError[]) => void;

/** The warnings of a server, as lines of a log: bounded in their number, and none that looks like a refused login. */
export class WarningLines {
  readonly budget: LineBudget;
  readonly #write: WarningWriter;

  constructor(clock: Clock, write: WarningWriter) {
    this.#write = write;
    this.budget = new LineBudget(clock, (line) => write(ownLine(line)));
  }

  /** @param about the device that the warning is about, if any: its lines have a budget of their own */
  warn(text: string, about?: string, cause?: IotmpError): void {
    if (this.budget.allows(about)) this.#write(ownLine(text), ...(cause === undefined ? [] : [cause]));
  }

  /** Writes how many lines were left out, and ends the timer. */
  close(): void {
    this.budget.close();
  }
}
