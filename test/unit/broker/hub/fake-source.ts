import { IotmpError } from '../../../../src/errors';
import type { IntervalMemory, StreamSource } from '../../../../src/broker/stream-source';
import type { Value } from '../../../../src/types';
import type { SessionStream, StreamListener } from '../../../../src/session/streams/session-stream';
import { FakeStream, type FakeStreamDevice } from './fake-stream';
import type { CallOptions } from '../../../../src/session/requests/reply';

export type StreamKind = 'periodic' | 'event';

/** A START_STREAM as the device got it. */
export interface Start {
  readonly id: number;
  readonly kind: StreamKind;
  readonly parameters: unknown;
}

interface Pending {
  readonly kind: StreamKind;
  settle(): void;
  reject(error: IotmpError): void;
}

/**
 * A connected device in the hand of a test: it writes down what it is asked, answers at once or when it is
 * told, and sends what the test says. It has one resource.
 */
export class FakeSource implements StreamSource {
  readonly intervals: IntervalMemory = { intervalForm: 'map' };
  readonly starts: Start[] = [];
  readonly stops: number[] = [];
  readonly written: { readonly kind: StreamKind; readonly payload: unknown }[] = [];
  /** Streams that the device has open, by id. */
  readonly streams = new Map<number, { readonly kind: StreamKind; readonly stream: FakeStream }>();
  readonly resources: string[] = [];
  /** START_STREAMs that came while another one of the same kind was not answered. */
  overlaps = 0;
  /** DESCRIBEs so far. */
  lookups = 0;
  /** The answer to START_STREAM: OK, an error, or none until {@link answerHeld}. */
  answer: 'ok' | 'hold' | IotmpError = 'ok';
  /** The answer to STOP_STREAM: OK, or none until {@link answerHeld}. */
  stopAnswer: 'ok' | 'hold' = 'ok';
  /** What writing into a stream throws. */
  writeError: IotmpError | undefined = undefined;
  /** The clock of whoever it is connected to. */
  now: () => number = () => 0;
  /** Payload of the OK that opens a stream. */
  initial: Value | undefined = undefined;
  /** What DESCRIBE says of the resource, or its failure. */
  described: number | 'unnamed' | 'hold' | IotmpError;
  readonly #held: Pending[] = [];
  readonly #lookupsHeld: ((answer: number | Promise<never>) => void)[] = [];
  static #lastId = 0;

  /** @param described as in DESCRIBE: 3 is an output */
  constructor(described: FakeSource['described'] = 3) {
    this.described = described;
  }

  async openStream(
    resource: string,
    listener: StreamListener,
    options: CallOptions = {},
  ): Promise<SessionStream> {
    this.resources.push(resource);
    const kind = options.parameters === undefined ? 'event' : 'periodic';
    const id = ++FakeSource.#lastId;
    const device: FakeStreamDevice = {
      write: (payload) => {
        if (this.writeError !== undefined) throw this.writeError;
        this.written.push({ kind, payload });
      },
      start: (parameters) => this.#start({ id, kind, parameters }, stream),
      stop: () => this.#stop(id),
    };
    const stream = new FakeStream(id, resource, device, listener);
    try {
      await this.#start({ id, kind, parameters: options.parameters }, stream);
      stream.handleOpened(this.initial);
    } catch (error) {
      if (error instanceof IotmpError) stream.end(error);
      throw error;
    }
    return stream;
  }

  functionOf(): Promise<number | undefined> {
    this.lookups++;
    const { described } = this;
    if (described instanceof IotmpError) return Promise.reject(described);
    if (described === 'hold') return new Promise((resolve) => this.#lookupsHeld.push(resolve));
    return Promise.resolve(described === 'unnamed' ? undefined : described);
  }

  /** The device answers what it held back, START_STREAM and STOP_STREAM alike. */
  answerHeld(error?: IotmpError): void {
    for (const pending of this.#held.splice(0)) {
      if (error === undefined) pending.settle();
      else pending.reject(error);
    }
  }

  /** The device answers the DESCRIBEs that it held back. */
  describeHeld(answer: number | IotmpError): void {
    for (const resolve of this.#lookupsHeld.splice(0)) {
      resolve(answer instanceof IotmpError ? Promise.reject(answer) : answer);
    }
  }

  /** Kinds of the streams that are open on the device. */
  get openKinds(): StreamKind[] {
    return [...this.streams.values()].map(({ kind }) => kind);
  }

  /** Kind and parameters of all START_STREAMs. */
  get started(): unknown[] {
    return this.starts.map(({ kind, parameters }) => [kind, parameters]);
  }

  /** The device sends a sample on its stream of this kind. */
  sample(payload: Value | undefined, kind: StreamKind = 'periodic'): void {
    this.streamOf(kind)?.handleData(payload, this.now());
  }

  /** The device ends its stream of this kind. */
  endStream(reason: IotmpError, kind: StreamKind = 'periodic'): void {
    const stream = this.streamOf(kind);
    if (stream !== undefined) this.streams.delete(stream.id);
    stream?.end(reason);
  }

  /** The connection ends: as in a session, everything is settled before anybody is told. */
  lose(): void {
    const reason = new IotmpError('IOTMP_ERR_CLOSED', 'connection lost');
    this.answer = reason;
    for (const pending of this.#held.splice(0)) pending.reject(reason);
    const streams = [...this.streams.values()];
    this.streams.clear();
    for (const { stream } of streams) stream.end(reason);
  }

  streamOf(kind: StreamKind): FakeStream | undefined {
    return [...this.streams.values()].find((open) => open.kind === kind)?.stream;
  }

  #start(start: Start, stream: FakeStream): Promise<undefined> {
    if (this.#held.some(({ kind }) => kind === start.kind)) this.overlaps++;
    this.starts.push(start);
    if (this.answer instanceof IotmpError) return Promise.reject(this.answer);
    this.streams.set(start.id, { kind: start.kind, stream });
    if (this.answer === 'ok') return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      this.#held.push({
        kind: start.kind,
        settle: () => resolve(undefined),
        reject: (error) => {
          this.streams.delete(start.id);
          reject(error);
        },
      });
    });
  }

  #stop(id: number): Promise<void> {
    this.stops.push(id);
    const kind = this.streams.get(id)?.kind ?? 'periodic';
    this.streams.delete(id);
    if (this.stopAnswer === 'ok') return Promise.resolve();
    return new Promise((resolve) => {
      this.#held.push({ kind, settle: resolve, reject: () => resolve() });
    });
  }
}
