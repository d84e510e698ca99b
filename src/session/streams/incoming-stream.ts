import { MessageType } from '../../codec/constants';
import { errorText, IotmpError } from '../../errors';
import type { SessionCore } from '../base/session-core';
import type { Outbox } from '../wire/outbox';
import type { DeviceId, Value } from '../../types';
import { isAwaitable } from '../../util/awaitable';
import type { QueueLimits } from '../../util/bounded-queue';
import type { Timer } from '../../util/clock';
import type { PendingWork } from '../hosting/pending-work';
import { Answer, type PublishedStream } from '../hosting/resource';
import type { ResolvedResource } from '../hosting/resource-registry';
import { Sample } from '../samples/sample';
import type { SampleForm } from '../samples/sample-form';
import type { SampleQueue } from '../samples/sample-queue';
import { ConversationIntake, type IntakePort } from '../conversations/conversation-intake';
import { tooSlowError } from '../conversations/waiting-bytes';
import type { StreamKind } from './stream-kind';
import { streamQueue } from './stream-queue';
import { stopMessage } from './stop-reason';

/** What a stream is made with: mostly what the START_STREAM said. */
export interface IncomingStreamInit {
  readonly id: number;
  readonly target: ResolvedResource;
  readonly intervalMs: number;
  readonly kind: StreamKind;
  readonly form: SampleForm;
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
  readonly kind: StreamKind;
  readonly caller: DeviceId | undefined;
  onData: ((payload: Value | undefined) => void) | undefined = undefined;
  onClose: ((reason?: IotmpError) => void) | undefined = undefined;
  onDrain: (() => void) | undefined = undefined;
  readonly #target: ResolvedResource;
  readonly #core: SessionCore;
  readonly #work: PendingWork;
  readonly #outbox: Outbox;
  readonly #queue: SampleQueue;
  readonly #forget: (stream: IncomingStream) => void;
  /** Only a conversation has one. */
  readonly #intake: ConversationIntake | undefined;
  #timer: Timer | undefined;
  #state: 'opening' | 'open' | 'closing' | 'closed' = 'opening';
  #sampling = false;

  /** Until {@link accept}, samples wait for the OK. What the peer sends waits, too, in a conversation; else it is dropped. */
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
    this.kind = init.kind;
    const onRoom = (): void => {
      if (!this.closed) core.runGuarded(() => this.onDrain?.());
    };
    this.#queue = streamQueue(init.kind, init.form, core.options, onRoom);
    this.#queue.held = true;
    if (init.kind === 'conversation') this.#intake = this.#newIntake();
    init.target.resource.attach(this);
  }

  get closed(): boolean {
    return this.#state === 'closing' || this.#state === 'closed';
  }

  get limits(): QueueLimits {
    return this.#queue.limits;
  }

  set limits(limits: QueueLimits) {
    if (this.kind !== 'conversation') this.#queue.limits = limits;
  }

  get dropped(): number {
    return this.#queue.dropped;
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
    this.#intake?.resume();
    const { definition } = this.#target.resource;
    if (definition.open !== undefined || definition.kind !== 'output') return;
    if (this.intervalMs > 0) this.#scheduleSample();
    this.#sample();
  }

  write(payload: unknown): boolean {
    return this.send(payload instanceof Sample ? payload : new Sample(payload));
  }

  send(sample: Sample): boolean {
    if (this.closed) return false;
    try {
      return this.#outbox.sendSample(sample, this.#queue);
    } catch (error) {
      if (error instanceof IotmpError && error.code === 'IOTMP_ERR_BUSY') this.fail(error);
      throw error;
    }
  }

  pause(): void {
    this.#intake?.pause();
  }

  resume(): void {
    if (this.#state !== 'opening') this.#intake?.resume();
  }

  close(reason?: IotmpError): void {
    if (this.closed) return;
    if (this.#state === 'open') {
      if (reason !== undefined) {
        this.fail(reason);
        return;
      }
      this.#state = 'closing';
      this.#intake?.clear();
      this.#queue.whenEmpty(() => this.#stop());
      return;
    }
    // Before the OK the peer waits for an answer, not for a STOP_STREAM.
    this.#core.refuse(this.id, reason ?? new IotmpError('IOTMP_ERR_CLOSED', 'the resource ended the stream'));
    this.end();
  }

  /**
   * Data from the peer: the resource runs with it, and an output that comes of it goes back.
   * @param size of the message, in bytes
   */
  handleData(payload: Value | undefined, size: number): void {
    if (this.closed) return;
    if (this.#intake === undefined) this.#deliver(payload);
    else this.#intake.take(payload, undefined, 0, size);
  }

  /** The peer ended the stream: what it sent before is for the resource all the same. */
  handleStop(reason: IotmpError | undefined): void {
    if (this.#intake === undefined || this.#state !== 'open') this.end(reason);
    else {
      this.#state = 'closing';
      this.#forget(this);
      this.#outbox.forget(this.#queue);
      this.#intake.end(() => this.end(reason));
    }
  }

  #deliver(payload: Value | undefined): void {
    if (this.#state === 'closed' || this.#state === 'opening') return;
    if (this.onData !== undefined) this.onData(payload);
    else if (this.#target.resource.definition.kind === 'output') this.#sample();
    else this.#run(payload, () => undefined);
  }

  /** Ends this side of the stream without telling the peer. Idempotent. */
  end(reason?: IotmpError): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#timer?.cancel();
    this.#intake?.clear();
    this.#target.resource.detach(this);
    this.#forget(this);
    this.#outbox.forget(this.#queue);
    try {
      this.onClose?.(reason);
    } catch (error) {
      this.#warn(error);
    }
  }

  #stop(): void {
    if (this.#state !== 'closing') return;
    this.#outbox.sendOrEnd({ type: MessageType.STOP_STREAM, streamId: this.id });
    this.end();
  }

  /** Ends a stream that cannot go on, and tells both ends the reason. */
  fail(reason: IotmpError): void {
    if (this.#state === 'closed') return;
    if (this.kind === 'conversation') this.#outbox.conversationsFailed++;
    this.#outbox.sendOrEnd(stopMessage(this.id, reason));
    this.end(reason);
  }

  #newIntake(): ConversationIntake {
    const port: IntakePort = {
      reading: this.#core.reading,
      limit: this.#core.options.maxConversationBytes,
      deliver: (payload) => this.#deliver(payload),
      guard: (callback) => this.#core.runGuarded(callback),
      onOverflow: () => this.fail(tooSlowError('reader')),
    };
    return new ConversationIntake(port, true);
  }

  #scheduleSample(): void {
    this.#timer = this.#core.options.clock.after(Math.max(this.intervalMs, MIN_INTERVAL_MS), () => {
      this.#scheduleSample();
      this.#sample();
    });
  }

  /** A sample whose predecessor is still being made, or for which a conversation has no room, is not made. */
  #sample(): void {
    if (this.#sampling || this.#queue.full) return;
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
      if (!isAwaitable(output)) done(output);
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
