import { errorText } from '../../errors';
import type { Clock } from '../../util/clock';
import type { StreamSource } from '../stream-source';
import { RetryBackoff } from './retry-backoff';
import { guarded } from '../../util/guard';

/** DESCRIBE's number for an output, the one kind that may be opened unasked (`protocol.md` section 5). */
const FN_OUTPUT = 3;

/** What a link needs of its resource. */
export interface ResourceLinkPort {
  readonly clock: Clock;
  /** The answer is there, or it is time to ask again. */
  onChange(): void;
  warn(text: string): void;
}

/** A resource on one connection of its device. Nothing of it outlives the connection. */
export class ResourceLink {
  readonly source: StreamSource;
  readonly resource: string;
  /** An operation on the device runs. */
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

  /** Whether the device said that the resource is an output; `undefined` while that is not known. */
  get isOutput(): boolean | undefined {
    return this.#isOutput;
  }

  /** Whether the device has not yet had its chance to say so. */
  get isUndecided(): boolean {
    return this.#isOutput === undefined && !this.#failed;
  }

  /** Finds out what the resource is, unless that is known, under way, or has failed a moment ago. */
  lookUp(): void {
    if (this.#lookup !== 'due') return;
    this.#lookup = 'running';
    this.source.functionOf(this.resource).then(
      guarded('hub lookup done', this.#onFault, (fn: number | undefined) => this.#handleFunction(fn)),
      guarded('hub lookup failed', this.#onFault, (error: unknown) => this.#handleFailure(error)),
    );
  }

  /** Ends the link's timer; an answer that is under way is ignored. */
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
