import { MessageType } from '../codec/constants';
import type { Message } from '../codec/message';
import { errorText, IotmpError } from '../errors';
import type { CallServer } from './call-server';
import type { RequestTable } from './request-table';
import type { StreamTable } from './stream-table';

/** Where the messages of an open session go. */
export interface DispatcherPort {
  readonly calls: CallServer;
  readonly streams: StreamTable;
  readonly requests: RequestTable;
  handleKeepAlive(): void;
  handleDisconnect(message: Message): void;
  refuse(id: number | undefined, error: unknown): void;
  warn(text: string): void;
}

/** Hands each message of an open session to the part that serves it (`protocol.md` section 1). */
export class Dispatcher {
  readonly #port: DispatcherPort;

  constructor(port: DispatcherPort) {
    this.#port = port;
  }

  /** Code of our users runs here: what it throws costs its message, not the connection. */
  handle(message: Message): void {
    try {
      this.#dispatch(message);
    } catch (error) {
      this.#port.warn(`a message of type ${message.type} could not be handled: ${errorText(error)}`);
    }
  }

  #dispatch(message: Message): void {
    const { streams, calls } = this.#port;
    switch (message.type) {
      case MessageType.STREAM_DATA:
        streams.handleData(message);
        break;
      case MessageType.OK:
      case MessageType.ERROR:
        // One that nobody waits for is let go: devices send those of an old connection (section 4.7).
        this.#port.requests.handleReply(message);
        break;
      case MessageType.RUN:
        calls.handleRun(message);
        break;
      case MessageType.DESCRIBE:
        calls.handleDescribe(message);
        break;
      case MessageType.START_STREAM:
        streams.handleStart(message);
        break;
      case MessageType.STOP_STREAM:
        streams.handleStop(message);
        break;
      case MessageType.KEEP_ALIVE:
        this.#port.handleKeepAlive();
        break;
      case MessageType.DISCONNECT:
        this.#port.handleDisconnect(message);
        break;
      default:
        this.#port.refuse(message.streamId, new IotmpError('IOTMP_ERR_PROTOCOL', 'already connected'));
    }
  }
}
