import type { Message } from '../../codec/message';
import { IotmpError } from '../../errors';
import type { DeviceId } from '../../types';
import type { PendingWork } from './pending-work';
import { Answer, type ResourceDefinition } from './resource';
import type { ResolvedResource, ResourceHost } from './resource-registry';
import type { SessionOptions } from '../base/session-options';

/** What serving the peer's calls needs of the session. */
export interface CallServerPort {
  readonly options: SessionOptions;
  readonly host: ResourceHost;
  readonly work: PendingWork;
  readonly signal: AbortSignal;
  readonly caller: DeviceId | undefined;
  /** Sends OK, with a status code where one is given; nothing for id 0 or none. */
  answer(id: number | undefined, payload: unknown, statusCode?: number): void;
  /** Sends ERROR with the status and text of the error; nothing for id 0 or none. It never throws. */
  refuse(id: number | undefined, error: unknown): void;
  /** Sends ERROR with this very payload. */
  refuseWith(id: number | undefined, statusCode: number, payload: unknown): void;
}

/** Serves RUN and DESCRIBE of the peer (`protocol.md` section 5). */
export class CallServer {
  readonly #port: CallServerPort;

  constructor(port: CallServerPort) {
    this.#port = port;
  }

  /** A RUN: the resource runs, and its output or error is the answer. */
  handleRun(message: Message): void {
    const id = message.streamId;
    try {
      const target = this.#resolve(message);
      const { definition } = target.resource;
      const output = this.#run(target, message);
      this.#whenDone(id, output, definition, (value) => this.#answer(id, value, definition));
    } catch (error) {
      this.#port.refuse(id, error);
    }
  }

  /** A DESCRIBE of all resources, or of one. Only outputs are run for it. */
  handleDescribe(message: Message): void {
    const id = message.streamId;
    try {
      if (message.resource === undefined) this.#port.answer(id, this.#port.host.describeAll());
      else this.#describe(this.#resolve(message), message);
    } catch (error) {
      this.#port.refuse(id, error);
    }
  }

  #resolve(message: Message): ResolvedResource {
    const target = this.#port.host.resolve(message.resource, message.parameters);
    if (target === undefined) throw new IotmpError('IOTMP_ERR_NOT_FOUND', 'no such resource');
    return target;
  }

  #run(target: ResolvedResource, message: Message): unknown {
    this.#port.work.checkRoom();
    return target.resource.definition.run({
      path: target.path,
      captures: target.captures,
      parameters: target.parameters,
      payload: message.payload,
      caller: this.#port.caller,
      signal: this.#port.signal,
    });
  }

  #describe(target: ResolvedResource, message: Message): void {
    const id = message.streamId;
    const { definition } = target.resource;
    if (definition.describe !== undefined) {
      const sample = definition.describe();
      const isEmpty = sample.in === undefined && sample.out === undefined;
      this.#port.answer(id, isEmpty ? undefined : sample);
    } else if (definition.kind === 'output') {
      const output = this.#run(target, message);
      this.#whenDone(id, output, definition, (value) => {
        const out = value instanceof Answer ? value.payload : value;
        this.#port.answer(id, { out: out ?? null });
      });
    } else this.#port.answer(id, undefined);
  }

  /** Answers now or later. An output that cannot be encoded is an error for the peer, too: it waits. */
  #whenDone(
    id: number | undefined,
    output: unknown,
    definition: ResourceDefinition,
    answer: (value: unknown) => void,
  ): void {
    const refuse = (error: unknown): void => this.#port.refuse(id, error);
    const attempt = (value: unknown): void => {
      try {
        answer(value);
      } catch (error) {
        refuse(error);
      }
    };
    if (!(output instanceof Promise)) attempt(output);
    else {
      const timeoutMs = definition.timeoutMs ?? this.#port.options.handlerTimeoutMs;
      this.#port.work.wait(output, timeoutMs, attempt, refuse);
    }
  }

  #answer(id: number | undefined, output: unknown, { kind }: ResourceDefinition): void {
    const { payload, statusCode } = output instanceof Answer ? output : new Answer(output);
    if (statusCode !== undefined && statusCode >= 400) {
      this.#port.refuseWith(id, statusCode, payload);
      return;
    }
    // What gives output always answers with a payload (`protocol.md` section 5).
    const given = kind === 'output' || kind === 'inout' ? (payload ?? null) : payload;
    this.#port.answer(id, given, statusCode);
  }
}
