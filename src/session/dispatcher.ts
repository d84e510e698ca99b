import { MessageType } from '../codec/constants';
import type { Message } from '../codec/message';
import { errorText, IotmpError } from '../errors';
import type { CallServer } from './hosting/call-server';
import type { RequestTable } from './requests/request-table';
import type { StreamTable } from './streams/stream-table';

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

/**
 * Hands each message of an open session to the part that serves it (`protocol.md` section 1). Code of our users runs
 * here: what it throws costs its message, not the connection.
 */
export function dispatch(message: Message, port: DispatcherPort): void {
  try {
    serve(message, port);
  } catch (error) {
    port.warn(`a message of type ${message.type} could not be handled: ${errorText(error)}`);
  }
}

function serve(message: Message, port: DispatcherPort): void {
  switch (message.type) {
    case MessageType.STREAM_DATA:
      port.streams.handleData(message);
      break;
    case MessageType.OK:
    case MessageType.ERROR:
      // One that nobody waits for is let go: devices send those of an old connection (section 4.7).
      port.requests.handleReply(message);
      break;
    case MessageType.RUN:
      port.calls.handleRun(message);
      break;
    case MessageType.DESCRIBE:
      port.calls.handleDescribe(message);
      break;
    case MessageType.START_STREAM:
      port.streams.handleStart(message);
      break;
    case MessageType.STOP_STREAM:
      port.streams.handleStop(message);
      break;
    case MessageType.KEEP_ALIVE:
      port.handleKeepAlive();
      break;
    case MessageType.DISCONNECT:
      port.handleDisconnect(message);
      break;
    default:
      port.refuse(message.streamId, new IotmpError('IOTMP_ERR_PROTOCOL', 'already connected'));
  }
}
