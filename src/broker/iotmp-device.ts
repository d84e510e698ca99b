import { encodeValue } from '../codec/writing/pson-encoder';
import { asError, IotmpError } from '../errors';
import { abortedError } from '../session/base/session-errors';
import { FunctionCode } from '../session/hosting/resource';
import type { CallOptions, Reply, RequestOptions } from '../session/requests/reply';
import type { Session } from '../session/session';
import type { SessionStream, StreamListener, StreamOptions } from '../session/streams/session-stream';
import { streamKind } from '../session/streams/stream-kind';
import type { Reading } from '../session/wire/reading-gate';
import { guarded, warnProcess } from '../util/guard';
import type { ConnectedDevice, DeviceCounters, DeviceRunOptions } from './connected-device';
import { DeviceDescription } from './device-description';
import type { RememberedDevice } from './device-registry';
import type { LastKnownStates } from './last-known';
import type { IntervalMemory } from './stream-source';

/** PSON of null and of an empty string, bytes, map and array. */
const EMPTY_VALUES: ReadonlySet<string> = new Set(['62', '80', 'a0', 'c0', 'e0']);

/** A device that is connected by a session of IoTMP. */
export class IotmpDevice implements ConnectedDevice {
  readonly user: string;
  readonly device: string;
  readonly since = Date.now();
  readonly session: Session;
  readonly #record: RememberedDevice;
  /** What makes a time on the session's clock one in ms since 1970. */
  readonly #epoch: number;
  #description: Promise<DeviceDescription> | undefined;
  /** What {@link #description} came to. */
  #described: DeviceDescription | undefined;

  constructor(record: RememberedDevice, session: Session) {
    this.user = record.id.user;
    this.device = record.id.device;
    this.session = session;
    this.#record = record;
    this.#epoch = this.since - session.options.clock.now();
  }

  get lastKnown(): LastKnownStates {
    return this.#record.lastKnown;
  }

  get intervals(): IntervalMemory {
    return this.#record;
  }

  get address(): string {
    return this.session.transport.remoteAddress;
  }

  get transport(): 'tcp' | 'tls' | 'ws' | 'memory' {
    return this.session.transport.kind;
  }

  get counters(): DeviceCounters {
    const { bytesIn, bytesOut, messagesIn, messagesOut } = this.session;
    const { samplesDropped, messagesDropped, conversationsFailed } = this.session;
    return {
      bytesIn,
      bytesOut,
      messagesIn,
      messagesOut,
      samplesDropped,
      messagesDropped,
      conversationsFailed,
    };
  }

  get maxBodySize(): number {
    return this.session.maxBodySize;
  }

  get reading(): Reading {
    return this.session.reading;
  }

  describe(): Promise<DeviceDescription> {
    this.#description ??= this.session.describe().then(
      (reply) => this.#learn(new DeviceDescription(reply.payload)),
      (error: unknown) => {
        this.#description = undefined;
        throw error;
      },
    );
    return this.#description;
  }

  async functionOf(resource: string): Promise<number | undefined> {
    return (await this.describe()).find(resource)?.fn;
  }

  describeResource(resource: string, options?: RequestOptions): Promise<Reply> {
    return this.session.describe(resource, options);
  }

  call(resource: string, options: CallOptions = {}): Promise<Reply> {
    try {
      if (!isEmptyInput(options.payload)) return this.run(resource, options);
      // From the second call on it is known what the device hosts, and nothing has to be waited for.
      return this.#described === undefined
        ? this.#describeAndRun(resource, options)
        : this.#runUnlessInput(resource, options);
    } catch (error) {
      return Promise.reject(asError(error));
    }
  }

  async run(resource: string, options: DeviceRunOptions = {}): Promise<Reply> {
    const reply = await this.session.call(resource, options);
    if (options.isState === false || !this.#hosts(resource)) return reply;
    if (options.payload !== undefined && !isEmptyInput(options.payload)) {
      this.lastKnown.wrote(resource, options.payload, this.#heardAt);
    }
    if (reply.payload !== undefined) this.lastKnown.saw(resource, reply.payload, this.#heardAt);
    return reply;
  }

  async openStream(
    resource: string,
    listener: StreamListener,
    options: DeviceRunOptions & StreamOptions = {},
  ): Promise<SessionStream> {
    const { kind = streamKind(resource, options.parameters) } = options;
    if (options.isState === false || kind === 'conversation') {
      return this.session.openStream(resource, listener, options);
    }
    // Asked once for each description, and not with every sample.
    let asked: DeviceDescription | undefined;
    let isHosted = true;
    const remembering: StreamListener = {
      onData: (payload, parameters, at) => {
        if (this.#described !== asked) {
          asked = this.#described;
          isHosted = this.#hosts(resource);
        }
        if (payload !== undefined && isHosted) this.lastKnown.saw(resource, payload, this.#epoch + at);
        listener.onData(payload, parameters, at);
      },
      onClose: (reason) => listener.onClose?.(reason),
      onWrite: (payload) => {
        if (this.#hosts(resource)) this.lastKnown.wrote(resource, payload, Date.now());
        listener.onWrite?.(payload);
      },
    };
    return this.session.openStream(resource, remembering, options);
  }

  close(reason?: IotmpError): void {
    this.session.close(reason);
  }

  /** Of what the device turns out not to host, nothing stays known. */
  #learn(description: DeviceDescription): DeviceDescription {
    this.#described = description;
    this.lastKnown.keepOnly((resource) => this.#hosts(resource));
    return description;
  }

  /** Whether the device hosts a resource, as far as it has described itself. */
  #hosts(resource: string): boolean {
    return this.#described === undefined || this.#described.find(resource) !== undefined;
  }

  /** When it was last heard of, in ms since 1970. */
  get #heardAt(): number {
    return this.#epoch + this.session.heardAt;
  }

  async #describeAndRun(resource: string, options: CallOptions): Promise<Reply> {
    await this.#within(this.#describeIfItCan(), options);
    return this.#runUnlessInput(resource, options);
  }

  #runUnlessInput(resource: string, options: CallOptions): Promise<Reply> {
    if (this.#described?.find(resource)?.fn !== FunctionCode.input) return this.run(resource, options);
    const text = `${resource} is an input: it needs a value`;
    return Promise.reject(new IotmpError('IOTMP_ERR_NO_INPUT', text));
  }

  /** A device that does not describe itself is not kept from being called. */
  async #describeIfItCan(): Promise<void> {
    try {
      await this.describe();
    } catch (error) {
      if (!(error instanceof IotmpError) || this.session.state !== 'open') throw error;
    }
  }

  /** Waits for what several wait for, but no longer than this caller may or wants to. */
  async #within<T>(shared: Promise<T>, { timeoutMs, signal }: RequestOptions): Promise<T> {
    if (timeoutMs === undefined && signal === undefined) return shared;
    const { clock, requestTimeoutMs } = this.session.options;
    const limit = Promise.withResolvers<never>();
    const onAbort = guarded('describe abort', warnProcess, () => limit.reject(abortedError()));
    const timer = clock.after(timeoutMs ?? requestTimeoutMs, () => {
      limit.reject(new IotmpError('IOTMP_ERR_TIMEOUT', 'the device did not describe itself in time'));
    });
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted === true) onAbort();
    try {
      return await Promise.race([shared, limit.promise]);
    } finally {
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
    }
  }
}

/**
 * Whether a device would take this payload as no input at all (`protocol.md` section 5). What counts is what is sent:
 * of an object whose members are all undefined nothing is left. It never throws: what cannot be sent is refused when it is
 * to be.
 */
function isEmptyInput(payload: unknown): boolean {
  if (payload === undefined || payload === null || payload === '') return true;
  if (typeof payload !== 'object') return false;
  if (Array.isArray(payload)) return payload.length === 0;
  if (ArrayBuffer.isView(payload)) return payload.byteLength === 0;
  try {
    return !hasMember(payload) && EMPTY_VALUES.has(encodeValue(payload).toString('hex'));
  } catch {
    return false;
  }
}

/** Whether a plain object is sent with something in it, as far as that can be seen without encoding it. */
function hasMember(payload: object): boolean {
  if (payload.constructor !== Object || 'toJSON' in payload) return false;
  return Object.values(payload).some((member) => member !== undefined);
}
