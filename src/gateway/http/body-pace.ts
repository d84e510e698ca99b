import { IotmpError } from '../../errors';
import type { Clock, Timer } from '../../util/clock';

/** Time within which a body has to bring {@link PROGRESS_BYTES}, in ms. */
export const STALL_MS = 30_000;
/** A body that brings less than this in time stands still, also where a byte drips in now and then. */
const PROGRESS_BYTES = 1_024;

/** Watches that a body comes on. Whatever this end takes its time for does not count. */
export class BodyPace {
  readonly #clock: Clock;
  readonly #onStall: (error: IotmpError) => void;
  /** When the last {@link PROGRESS_BYTES} were complete, on the clock's scale; later by the time that this end took. */
  #since: number;
  #bytes = 0;
  #restedAt: number | undefined;
  #timer: Timer | undefined;

  /** @param onStall is told once, when the body stands still */
  constructor(clock: Clock, onStall: (error: IotmpError) => void) {
    this.#clock = clock;
    this.#onStall = onStall;
    this.#since = clock.now();
    this.#timer = clock.after(STALL_MS, () => this.#check());
  }

  /** Bytes have come. */
  took(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < PROGRESS_BYTES) return;
    this.#bytes = 0;
    this.#since = this.#clock.now();
  }

  /** Nothing is asked of the client until {@link goOn}. */
  rest(): void {
    this.#restedAt ??= this.#clock.now();
  }

  goOn(): void {
    if (this.#restedAt === undefined) return;
    this.#since += this.#clock.now() - this.#restedAt;
    this.#restedAt = undefined;
    this.#timer ??= this.#clock.after(STALL_MS, () => this.#check());
  }

  end(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** One timer lasts for the whole body: it is not moved for each piece. */
  #check(): void {
    this.#timer = undefined;
    if (this.#restedAt !== undefined) return;
    const restMs = this.#since + STALL_MS - this.#clock.now();
    if (restMs > 0) this.#timer = this.#clock.after(restMs, () => this.#check());
    else this.#onStall(standsStill());
  }
}

/** A body whose client sends no more of it. */
function standsStill(): IotmpError {
  const text = `the body stands still: less than ${PROGRESS_BYTES} bytes came in ${STALL_MS / 1000} s`;
  return new IotmpError('IOTMP_ERR_TIMEOUT', text, { statusCode: 408 });
}
