import { MessageType } from '../codec/constants';
import type { Message } from '../codec/message';
import { errorText, IotmpError } from '../errors';
import type { SessionCore } from './base/session-core';
import { asIotmpError, UnreadAnswerError } from './base/session-errors';
import { CallServer } from './hosting/call-server';
import { PendingWork } from './hosting/pending-work';
import type { ResourceHost } from './hosting/resource-registry';
import { RequestTable } from './requests/request-table';
import { StreamTable } from './streams/stream-table';
import type { Outbox } from './wire/outbox';

const REQUESTS: ReadonlySet<number> = new Set([
  MessageType.CONNECT,
  MessageType.RUN,
  MessageType.DESCRIBE,
  MessageType.START_STREAM,
  MessageType.STOP_STREAM,
]);

/**
 * The parts that serve an open session, and which of them gets which message (`protocol.md` section 1). Each part is made
 * when it is needed: of ten thousand devices nearly all are idle nearly all the time.
 */
export class Dispatcher {
  readonly #core: SessionCore;
  readonly #host: ResourceHost;
  readonly #outbox: Outbox;
  #requests: RequestTable | undefined;
  #streams: StreamTable | undefined;
  #calls: CallServer | undefined;
  #work: PendingWork | undefined;

  constructor(core: SessionCore, host: ResourceHost, outbox: Outbox) {
    this.#core = core;
    this.#host = host;
    this.#outbox = outbox;
  }

  /** Requests of this end that wait for their answer. */
  get requests(): RequestTable {
    return (this.#requests ??= new RequestTable(this.#core));
  }

  /** Streams of both ends. */
  get streams(): StreamTable {
    return (this.#streams ??= new StreamTable(
      this.#core,
      this.#host,
      this.work,
      this.requests,
      this.#outbox,
    ));
  }

  get #callServer(): CallServer {
    return (this.#calls ??= new CallServer(this.#core, this.#host, this.work));
  }

  /** Calls of the peer that are being worked on. */
  get work(): PendingWork {
    return (this.#work ??= this.#newWork());
  }

  /** Number of open streams in both directions. */
  get streamCount(): number {
    return this.#streams?.size ?? 0;
  }

  /** Whether a request or a stream uses this id. */
  has(id: number): boolean {
    return this.#requests?.has(id) === true || this.#streams?.has(id) === true;
  }

  /**
   * Hands a message to the part that serves it. Code of our users runs there: what it throws costs the message, not the
   * connection.
   * @param at when the message arrived, on the clock's scale, in ms
   * @param size of its body, in bytes
   */
  dispatch(message: Message, at: number, size: number): void {
    try {
      this.#serve(message, at, size);
    } catch (error) {
      this.#core.warn(`a message of type ${message.type} could not be handled: ${errorText(error)}`);
    }
  }

  /** Whether a request of this end has waited for its answer for so long, in ms. */
  hasWaited(ms: number): boolean {
    return this.#requests?.hasWaited(ms) === true;
  }

  /**
   * Deals with a message of which only this is known, as it was too large: a request that waits for it fails, a request of
   * the peer is refused, a sample is lost, and a conversation ends.
   * @param id undefined where it could not be found
   */
  handleOversized(type: number, id: number | undefined, text: string): void {
    if (type === MessageType.OK || type === MessageType.ERROR) {
      const error = new UnreadAnswerError(text);
      if (id === undefined) this.requests.failAll(error);
      else this.requests.reject(id, error);
    } else if (type === MessageType.STREAM_DATA) this.streams.handleOversized(id, text);
    else if (REQUESTS.has(type)) this.#core.refuse(id, new IotmpError('IOTMP_ERR_TOO_LARGE', text));
  }

  /** Settles and ends everything, with the reason. */
  end(reason: IotmpError): void {
    this.#work?.endAll();
    this.#requests?.rejectAll(reason);
    this.#streams?.endAll(reason);
  }

  #newWork(): PendingWork {
    const { clock, maxConcurrentCalls } = this.#core.options;
    return new PendingWork(clock, maxConcurrentCalls, (error) => this.#core.destroy(asIotmpError(error)));
  }

  #serve(message: Message, at: number, size: number): void {
    switch (message.type) {
      case MessageType.STREAM_DATA:
        this.streams.handleData(message, at, size);
        break;
      case MessageType.OK:
      case MessageType.ERROR:
        // One that nobody waits for is let go: devices send those of an old connection (section 4.7).
        this.requests.handleReply(message);
        break;
      case MessageType.RUN:
        this.#noteId(message);
        this.#callServer.handleRun(message);
        break;
      case MessageType.DESCRIBE:
        this.#noteId(message);
        this.#callServer.handleDescribe(message);
        break;
      case MessageType.START_STREAM:
        this.#noteId(message);
        this.streams.handleStart(message);
        break;
      case MessageType.STOP_STREAM:
        this.streams.handleStop(message);
        break;
      default:
        this.#core.refuse(message.streamId, new IotmpError('IOTMP_ERR_PROTOCOL', 'already connected'));
    }
  }

  /** Devices keep the ids of both sides in one space (`protocol.md` section 6). */
  #noteId({ streamId }: Message): void {
    if (streamId !== undefined && streamId !== 0) this.#core.ids.notePeer(streamId);
  }
}
