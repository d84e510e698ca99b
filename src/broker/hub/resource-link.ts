import { errorText } from '../../errors';
import type { Clock } from '../../util/clock';
import type { StreamSource } from '../stream-source';
import { RetryBackoff } from './retry-backoff';
import { guarded } from '../../util/guard';

/** DESCRIBE's number for an output, the one kind that may be opened unasked (`protocol.md` section 5). */
const FN_OUTPUT = 3;

/** The part of a resource that its link uses. */
export interface ResourceLinkPort {
  readonly clock: Clock;
  /** DESCRIBE was answered, or it may be asked again. */
  onChange(): void;
  warn(text: string): void;
}

/** A resource on one connection of its device. It ends with the connection. */
export class ResourceLink {
  readonly source: StreamSource;
  readonly resource: string;
  /** Whether an operation on the device is running. */
  busy = false;
  readonly #port: ResourceLinkPort;
  readonly #backoff: RetryBackoff;
  #lookup: 'due' | 'running' | 'waiting' | 'done' | 'ended' = 'due';
  #isOutput: boolean | undefined;
  #failed = false;
  readonly #onFault = (error: unknown): void => this.#port.warn(errorText(error));

  constructor(source: StreamSource, resource: string, port: ResourceLinkPort) {
    this.source = source;
    this.resource = resource;
    this.#port = port;
    this.#backoff = new RetryBackoff(port.clock, () => {
      this.#lookup = 'due';
      port.onChange();
    });
  }

  /** Whether the resource is an output, as the device says; `undefined` until the device has answered. */
  get isOutput(): boolean | undefined {
    return this.#isOutput;
  }

  /** Whether the device has not been asked yet, or has not answered yet. */
  get isUndecided(): boolean {
    return this.#isOutput === undefined && !this.#failed;
  }

  /** Asks the device whether the resource is an output, unless that is known, being asked, or has just failed. */
  lookUp(): void {
    if (this.#lookup !== 'due') return;
    this.#lookup = 'running';
    this.source.functionOf(this.resource).then(
      guarded('hub lookup done', this.#onFault, (fn: number | undefined) => this.#handleFunction(fn)),
      guarded('hub lookup failed', this.#onFault, (error: unknown) => this.#handleFailure(error)),
    );
  }

  /** Ends the link's timer. A later answer is ignored. */
  end(): void {
    this.#lookup = 'ended';
    this.#backoff.cancel();
  }

  #handleFunction(fn: number | undefined): void {
    if (this.#lookup !== 'running') return;
    this.#lookup = 'done';
    this.#isOutput = fn === FN_OUTPUT;
    this.#port.onChange();
  }

  #handleFailure(error: unknown): void {
    if (this.#lookup !== 'running') return;
    this.#lookup = 'waiting';
    if (!this.#failed) this.#port.warn(`the device did not describe itself: ${errorText(error)}`);
    this.#failed = true;
    this.#backoff.schedule();
    this.#port.onChange();
  }
}
