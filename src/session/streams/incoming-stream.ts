import { MessageType } from '../../codec/constants';
import { errorText, IotmpError } from '../../errors';
import type { SessionCore } from '../base/session-core';
import type { Outbox } from '../wire/outbox';
import type { DeviceId, Value } from '../../types';
import type { Timer } from '../../util/clock';
import type { PendingWork } from '../hosting/pending-work';
import { Answer, type PublishedStream } from '../hosting/resource';
import type { ResolvedResource } from '../hosting/resource-registry';
import { Sample } from '../samples/sample';
import type { SampleForm } from '../samples/sample-form';
import type { SampleQueue } from '../samples/sample-queue';

/** What a stream is made with: mostly what the START_STREAM said. */
export interface IncomingStreamInit {
  readonly id: number;
  readonly target: ResolvedResource;
  readonly intervalMs: number;
  readonly queue: SampleQueue;
  /** Takes the stream out of the table of its session. */
  readonly forget: (stream: IncomingStream) => void;
}

/** Shortest sampling interval that this end serves, in ms: nobody may flood himself by a small number. */
const MIN_INTERVAL_MS = 10;

/** A stream that the peer opened on a resource of ours (`protocol.md` section 6). */
export class IncomingStream implements PublishedStream {
  readonly id: number;
  readonly path: string;
  readonly captures: Readonly<Record<string, string>>;
  readonly parameters: Value | undefined;
  readonly intervalMs: number;
  readonly caller: DeviceId | undefined;
  onData: ((payload: Value | undefined) => void) | undefined = undefined;
  onClose: (() => void) | undefined = undefined;
  readonly #target: ResolvedResource;
  readonly #core: SessionCore;
  readonly #work: PendingWork;
  readonly #outbox: Outbox;
  readonly #queue: SampleQueue;
  readonly #forget: (stream: IncomingStream) => void;
  #timer: Timer | undefined;
  #state: 'opening' | 'open' | 'closed' = 'opening';
  #sampling = false;

  /** Until {@link accept}, samples wait for the OK, and what the peer sends is dropped. */
  constructor(core: SessionCore, work: PendingWork, outbox: Outbox, init: IncomingStreamInit) {
    this.id = init.id;
    this.path = init.target.path;
    this.captures = init.target.captures;
    this.parameters = init.target.parameters;
    this.intervalMs = init.intervalMs;
    this.caller = core.peer;
    this.#target = init.target;
    this.#core = core;
    this.#work = work;
    this.#outbox = outbox;
    this.#forget = init.forget;
    this.#queue = init.queue;
    this.#queue.held = true;
    init.target.resource.attach(this);
  }

  get closed(): boolean {
    return this.#state === 'closed';
  }

  /** How its samples are sent. */
  get form(): SampleForm {
    return this.#queue.form;
  }

  /**
   * To be called once the OK has been sent. The first sample of an output follows at once and, with an interval,
   * all later ones. Only outputs are read unasked.
   */
  accept(): void {
    if (this.#state !== 'opening') return;
    this.#state = 'open';
    this.#outbox.release(this.#queue);
    const { definition } = this.#target.resource;
    if (definition.open !== undefined || definition.kind !== 'output') return;
    if (this.intervalMs > 0) this.#scheduleSample();
    this.#sample();
  }

  write(payload: unknown): boolean {
    return this.send(payload instanceof Sample ? payload : new Sample(payload));
  }

  send(sample: Sample): boolean {
    if (this.#state === 'closed') return false;
    return this.#outbox.sendSample(sample, this.#queue);
  }

  close(): void {
    if (this.#state === 'closed') return;
    // Before the OK the peer waits for an answer, not for a STOP_STREAM.
    if (this.#state === 'open') this.#outbox.send({ type: MessageType.STOP_STREAM, streamId: this.id });
    else this.#core.refuse(this.id, new IotmpError('IOTMP_ERR_CLOSED', 'the resource ended the stream'));
    this.end();
  }

  /** Data from the peer: the resource runs with it, and an output that comes of it goes back. */
  handleData(payload: Value | undefined): void {
    if (this.#state !== 'open') return;
    if (this.onData !== undefined) this.onData(payload);
    else if (this.#target.resource.definition.kind === 'output') this.#sample();
    else this.#run(payload, () => undefined);
  }

  /** Ends this side of the stream without telling the peer. Idempotent. */
  end(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#timer?.cancel();
    this.#target.resource.detach(this);
    this.#forget(this);
    this.#outbox.forget(this.#queue);
    try {
      this.onClose?.();
    } catch (error) {
      this.#warn(error);
    }
  }

  #scheduleSample(): void {
    this.#timer = this.#core.options.clock.after(Math.max(this.intervalMs, MIN_INTERVAL_MS), () => {
      this.#scheduleSample();
      this.#sample();
    });
  }

  /** A sample whose predecessor is still being made is left out. */
  #sample(): void {
    if (this.#sampling) return;
    this.#sampling = true;
    this.#run(undefined, () => {
      this.#sampling = false;
    });
  }

  /** What fails costs its sample, and a warning. */
  #run(payload: Value | undefined, onSettled: () => void): void {
    const { definition } = this.#target.resource;
    const done = (output: unknown): void => {
      onSettled();
      this.#emit(output);
    };
    const failed = (error: unknown): void => {
      onSettled();
      this.#warn(error);
    };
    try {
      this.#work.checkRoom();
      const output = definition.run({
        path: this.path,
        captures: this.captures,
        parameters: this.parameters,
        payload,
        caller: this.caller,
        signal: this.#core.signal,
      });
      if (!(output instanceof Promise)) done(output);
      else this.#work.wait(output, definition.timeoutMs ?? this.#core.options.handlerTimeoutMs, done, failed);
    } catch (error) {
      failed(error);
    }
  }

  #emit(output: unknown): void {
    const { payload, statusCode = 200 } = output instanceof Answer ? output : new Answer(output);
    if (statusCode >= 400) this.#warn(`the resource failed with ${statusCode}`);
    else if (payload !== undefined) this.#tryWrite(payload);
  }

  #tryWrite(payload: unknown): void {
    try {
      this.write(payload);
    } catch (error) {
      this.#warn(error);
    }
  }

  #warn(error: unknown): void {
    this.#core.warn(`stream of ${this.path}: ${errorText(error)}`);
  }
}
