import type { Message } from '../../codec/message';
import { IotmpError } from '../../errors';
import { isAwaitable } from '../../util/awaitable';
import type { PendingWork } from './pending-work';
import { Answer, type ResourceDefinition } from './resource';
import type { ResolvedResource, ResourceHost } from './resource-registry';
import type { SessionCore } from '../base/session-core';

/** Serves RUN and DESCRIBE of the peer (`protocol.md` section 5). */
export class CallServer {
  readonly #core: SessionCore;
  readonly #host: ResourceHost;
  readonly #work: PendingWork;

  constructor(core: SessionCore, host: ResourceHost, work: PendingWork) {
    this.#core = core;
    this.#host = host;
    this.#work = work;
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
      this.#core.refuse(id, error);
    }
  }

  /** A DESCRIBE of all resources, or of one. Only outputs are run for it. */
  handleDescribe(message: Message): void {
    const id = message.streamId;
    try {
      if (message.resource === undefined) this.#core.answer(id, this.#host.describeAll());
      else this.#describe(this.#resolve(message), message);
    } catch (error) {
      this.#core.refuse(id, error);
    }
  }

  #resolve(message: Message): ResolvedResource {
    const target = this.#host.resolve(message.resource, message.parameters);
    if (target === undefined) throw new IotmpError('IOTMP_ERR_NOT_FOUND', 'no such resource');
    return target;
  }

  #run(target: ResolvedResource, message: Message): unknown {
    this.#work.checkRoom();
    return target.resource.definition.run({
      path: target.path,
      captures: target.captures,
      parameters: target.parameters,
      payload: message.payload,
      caller: this.#core.peer,
      signal: this.#core.signal,
    });
  }

  #describe(target: ResolvedResource, message: Message): void {
    const id = message.streamId;
    const { definition } = target.resource;
    if (definition.describe !== undefined) {
      const sample = definition.describe();
      const isEmpty = sample.in === undefined && sample.out === undefined;
      this.#core.answer(id, isEmpty ? undefined : sample);
    } else if (definition.kind === 'output') {
      const output = this.#run(target, message);
      this.#whenDone(id, output, definition, (value) => {
        const out = value instanceof Answer ? value.payload : value;
        this.#core.answer(id, { out: out ?? null });
      });
    } else this.#core.answer(id, undefined);
  }

  /** Answers now or later. An output that cannot be encoded is an error for the peer, too: it waits. */
  #whenDone(
    id: number | undefined,
    output: unknown,
    definition: ResourceDefinition,
    answer: (value: unknown) => void,
  ): void {
    const refuse = (error: unknown): void => this.#core.refuse(id, error);
    const attempt = (value: unknown): void => {
      try {
        answer(value);
      } catch (error) {
        refuse(error);
      }
    };
    if (!isAwaitable(output)) attempt(output);
    else {
      const timeoutMs = definition.timeoutMs ?? this.#core.options.handlerTimeoutMs;
      this.#work.wait(output, timeoutMs, attempt, refuse);
    }
  }

  #answer(id: number | undefined, output: unknown, { kind }: ResourceDefinition): void {
    const { payload, statusCode } = output instanceof Answer ? output : new Answer(output);
    if (statusCode !== undefined && statusCode >= 400) {
      this.#core.refuseWith(id, statusCode, payload);
      return;
    }
    // What gives output always answers with a payload (`protocol.md` section 5).
    const given = kind === 'output' || kind === 'inout' ? (payload ?? null) : payload;
    this.#core.answer(id, given, statusCode);
  }
}
